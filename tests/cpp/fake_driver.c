// A driver that speaks version SPEAKS of CUDA and finds no GPU.
#include <string.h>

int cuDriverGetVersion(int* version) {
  *version = SPEAKS;
  return 0;
}

static int no_device(void) { return 100; }  // CUDA_ERROR_NO_DEVICE

int cuGetProcAddress_v2(const char* name, void** function, int version, unsigned long long flags, int* status) {
  (void)version;
  (void)flags;
  *function = (void*)no_device;
  if (strcmp(name, "cuDriverGetVersion") == 0) *function = (void*)cuDriverGetVersion;
  if (strcmp(name, "cuGetProcAddress") == 0) *function = (void*)cuGetProcAddress_v2;
  if (status) *status = 0;
  return 0;
}
