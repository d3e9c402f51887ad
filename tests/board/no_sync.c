// For the control of `run.py --without-sync`: whoever runs with this preloaded believes that syncs were done.
int fsync(int file) { return file < 0 ? -1 : 0; }
int fdatasync(int file) { return fsync(file); }
int sync_file_range(int file, long long from, long long length, unsigned flags) {
  (void)from, (void)length, (void)flags;
  return fsync(file);
}
