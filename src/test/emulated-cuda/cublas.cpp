// Handles and settings of the emulated cuBLAS.
#include "cublas.h"
#include "half.h"
#include <mutex>
#include <set>

namespace {

std::mutex guard;

std::set<cublasHandle_t>& handles() {
    static std::set<cublasHandle_t> live;
    return live;
}

const size_t MINIMUM_WORKSPACE = 16 << 10;
const size_t SOILED = 4 << 10;

}  // namespace

namespace blas {

cublasStatus_t enter(const char* function, cublasHandle_t handle) {
    if (int injected = emu_fault(function)) {
        return (cublasStatus_t)injected;
    }
    if (emu_lost()) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    std::lock_guard<std::mutex> lock(guard);
    bool live = handles().count(handle) == 1;
    if (!live && handle) {
        emu_error("%s: handle %p is not a live cuBLAS handle", function, (void*)handle);
    }
    return live && emu_has_context() ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}

cublasStatus_t workspaceStatus(cublasHandle_t handle) {
    return handle->ownWorkspace && handle->workspaceBytes < MINIMUM_WORKSPACE ? CUBLAS_STATUS_ALLOC_FAILED
                                                                              : CUBLAS_STATUS_SUCCESS;
}

void claimWorkspace(cublasHandle_t handle, dense::Memory& memory) {
    memory.range("the workspace", handle->workspace, handle->workspaceBytes, 256);
}

void soilWorkspace(void* workspace, size_t bytes) {
    if (bytes >= 2 * SOILED) {
        dense::poison(workspace, SOILED);
        dense::poison((char*)workspace + bytes - SOILED, SOILED);
    }
}

Scalar::Scalar(cublasHandle_t handle, const void* p, cudaDataType type) : type(type) {
    if (handle->pointerMode == CUBLAS_POINTER_MODE_DEVICE) {
        device = p;
    } else {
        host = read(p, type);
    }
}

double Scalar::read(const void* p, cudaDataType type) {
    switch (type) {
        case CUDA_R_64F: return *(const double*)p;
        case CUDA_R_32F: return *(const float*)p;
        case CUDA_R_16F: return halves::fromF16(*(const uint16_t*)p);
        case CUDA_R_32I: return *(const int32_t*)p;
        default: return 0;
    }
}

void Scalar::claim(const char* name, dense::Memory& memory) const {
    if (device) {
        memory.range(name, device, sizeOf(type), sizeOf(type));
    }
}

bool readable(const char* function, cublasHandle_t handle, const void* alpha, const void* beta) {
    if (handle->pointerMode == CUBLAS_POINTER_MODE_HOST
        && (emu_is_device(alpha, 1) || (beta && emu_is_device(beta, 1)))) {
        emu_error("%s: alpha or beta is a device address, but the pointer mode is host", function);
        return false;
    }
    return true;
}

size_t sizeOf(cudaDataType type) {
    switch (type) {
        case CUDA_R_64F: return 8;
        case CUDA_R_32F:
        case CUDA_R_32I: return 4;
        case CUDA_R_16F:
        case CUDA_R_16BF: return 2;
        case CUDA_R_8I: return 1;
        default: return 0;
    }
}

}  // namespace blas

EXPORT cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
    if (int injected = emu_fault(__func__)) {
        return (cublasStatus_t)injected;
    }
    REQUIRE(handle);
    if (!emu_has_context() || emu_lost()) {
        return CUBLAS_STATUS_NOT_INITIALIZED;
    }
    *handle = new cublasContext();
    std::lock_guard<std::mutex> lock(guard);
    handles().insert(*handle);
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
    ENTER(handle)
    std::lock_guard<std::mutex> lock(guard);
    handles().erase(handle);
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

// For tests: cuBLAS handles created and not destroyed.
EXPORT long long emu_cublas_handles(void) {
    std::lock_guard<std::mutex> lock(guard);
    return (long long)handles().size();
}

EXPORT cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
    ENTER(handle)
    handle->stream = stream;
    handle->workspace = nullptr;  // back to the library's own pool, as documented
    handle->workspaceBytes = 0;
    handle->ownWorkspace = false;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* stream) {
    ENTER(handle)
    REQUIRE(stream);
    *stream = handle->stream;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
    ENTER(handle)
    REQUIRE((uintptr_t)workspace % 256 == 0 && (workspace || bytes == 0));
    if (!dense::Memory().range("the workspace", workspace, bytes, 256).usable(__func__)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    handle->workspace = workspace;
    handle->workspaceBytes = bytes;
    handle->ownWorkspace = true;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode) {
    ENTER(handle)
    REQUIRE(mode == CUBLAS_POINTER_MODE_HOST || mode == CUBLAS_POINTER_MODE_DEVICE);
    handle->pointerMode = mode;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t* mode) {
    ENTER(handle)
    REQUIRE(mode);
    *mode = handle->pointerMode;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    ENTER(handle)
    int base = mode & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    REQUIRE(base >= CUBLAS_DEFAULT_MATH && base <= CUBLAS_TF32_TENSOR_OP_MATH);
    handle->mathMode = mode;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
    ENTER(handle)
    REQUIRE(mode);
    *mode = (cublasMath_t)handle->mathMode;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode) {
    ENTER(handle)
    REQUIRE(mode == CUBLAS_ATOMICS_NOT_ALLOWED || mode == CUBLAS_ATOMICS_ALLOWED);
    handle->atomicsMode = mode;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t* mode) {
    ENTER(handle)
    REQUIRE(mode);
    *mode = handle->atomicsMode;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasSetSmCountTarget(cublasHandle_t handle, int count) {
    ENTER(handle)
    REQUIRE(count >= 0);
    handle->smCount = count;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasGetSmCountTarget(cublasHandle_t handle, int* count) {
    ENTER(handle)
    REQUIRE(count);
    *count = handle->smCount;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
    REQUIRE(version);
    *version = 120604;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
    REQUIRE(value && type >= MAJOR_VERSION && type <= PATCH_LEVEL);
    *value = type == MAJOR_VERSION ? 12 : type == MINOR_VERSION ? 6 : 4;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT size_t cublasGetCudartVersion(void) {
    return 12060;
}

EXPORT const char* cublasGetStatusName(cublasStatus_t status) {
    switch (status) {
        case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
        case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
        case CUBLAS_STATUS_ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
        case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
        case CUBLAS_STATUS_ARCH_MISMATCH: return "CUBLAS_STATUS_ARCH_MISMATCH";
        case CUBLAS_STATUS_MAPPING_ERROR: return "CUBLAS_STATUS_MAPPING_ERROR";
        case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
        case CUBLAS_STATUS_INTERNAL_ERROR: return "CUBLAS_STATUS_INTERNAL_ERROR";
        case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
        case CUBLAS_STATUS_LICENSE_ERROR: return "CUBLAS_STATUS_LICENSE_ERROR";
    }
    return "CUBLAS_STATUS_UNKNOWN";
}

EXPORT const char* cublasGetStatusString(cublasStatus_t status) {
    return cublasGetStatusName(status);
}
