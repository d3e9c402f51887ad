"""Starts a process that outlives it unless the whole group is killed, notes both ids in the file named first, and waits."""
import os
import subprocess
import sys
import time

other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.write(f"{os.getpid()} {other.pid}")
time.sleep(60)
