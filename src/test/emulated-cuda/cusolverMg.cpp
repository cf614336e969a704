// The multi-GPU solver: JCusolver's native needs the library to be there; nothing of it is emulated.
#define ABSENT(NAME)                                                             \
    extern "C" __attribute__((visibility("default"))) int cusolverMg##NAME(void) { \
        return 9; /* not supported */                                            \
    }

ABSENT(Create)
ABSENT(CreateDeviceGrid)
ABSENT(CreateMatrixDesc)
ABSENT(Destroy)
ABSENT(DestroyGrid)
ABSENT(DestroyMatrixDesc)
ABSENT(DeviceSelect)
ABSENT(Getrf)
ABSENT(Getrf_bufferSize)
ABSENT(Getrs)
ABSENT(Getrs_bufferSize)
ABSENT(Potrf)
ABSENT(Potrf_bufferSize)
ABSENT(Potri)
ABSENT(Potri_bufferSize)
ABSENT(Potrs)
ABSENT(Potrs_bufferSize)
ABSENT(Syevd)
ABSENT(Syevd_bufferSize)
