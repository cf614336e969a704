// Handles and settings of the emulated cuSOLVER.
#include "cusolver.h"
#include <mutex>
#include <set>
#include <string>

struct cusolverDnParams {
    cusolverAlgMode_t algorithms[2] = {CUSOLVER_ALG_0, CUSOLVER_ALG_0};
};

namespace {

std::mutex guard;

std::set<void*>& objects() {
    static std::set<void*> live;
    return live;
}

template <class T>
cusolverStatus_t create(const char* function, T** object) {
    if (int injected = emu_fault(function)) {
        return (cusolverStatus_t)injected;
    }
    REQUIRE(object);
    *object = new T();
    std::lock_guard<std::mutex> lock(guard);
    objects().insert(*object);
    return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
cusolverStatus_t destroy(const char* function, T* object) {
    if (int injected = emu_fault(function)) {
        return (cusolverStatus_t)injected;
    }
    std::lock_guard<std::mutex> lock(guard);
    if (objects().erase(object) == 0) {
        emu_error("%s: %p is not live", function, (void*)object);
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    delete object;
    return CUSOLVER_STATUS_SUCCESS;
}

// The state behind a gesvdj or syevj object, or null with a record.
template <class T>
Jacobi* jacobi(const char* function, T* info) {
    std::lock_guard<std::mutex> lock(guard);
    if (objects().count(info) == 0) {
        emu_error("%s: %p is not a live parameter object", function, (void*)info);
        return nullptr;
    }
    return info->state.get();
}

}  // namespace

namespace solver {

cusolverStatus_t enter(const char* function, cusolverDnHandle_t handle) {
    if (int injected = emu_fault(function)) {
        return (cusolverStatus_t)injected;
    }
    if (emu_lost()) {
        return CUSOLVER_STATUS_EXECUTION_FAILED;
    }
    std::lock_guard<std::mutex> lock(guard);
    bool live = objects().count(handle) == 1;
    if (!live && handle) {
        emu_error("%s: handle %p is not a live cuSOLVER handle", function, (void*)handle);
    }
    return live && emu_has_context() ? CUSOLVER_STATUS_SUCCESS : CUSOLVER_STATUS_NOT_INITIALIZED;
}

int forcedInfo(const char* function) {
    return emu_fault((std::string(function) + ":info").c_str());
}

bool capturable(const char* function, cusolverDnHandle_t handle) {
    if (dense::capturing(handle->stream)) {
        emu_error("%s: waits for its stream while it runs; the stream is being captured", function);
        return false;
    }
    return true;
}

bool openBlas(const char* function) {
    if (!lapack::present()) {
        emu_error("%s: the emulation needs OpenBLAS for this; load the CPU backend or set GRAMIAN_OPENBLAS", function);
        return false;
    }
    return true;
}

bool hostWorkspace(const char* function, void* p, size_t bytes, size_t needed) {
    if (bytes < needed || (needed > 0 && (!p || emu_is_device(p, 1)))) {
        emu_error("%s: the host workspace needs %zu bytes of host memory; got %zu at %p", function, needed, bytes, p);
        return false;
    }
    if (p) {
        dense::poison(p, bytes);
    }
    return true;
}

}  // namespace solver

EXPORT cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle) {
    if (!emu_has_context() || emu_lost()) {
        return CUSOLVER_STATUS_NOT_INITIALIZED;
    }
    return create(__func__, handle);
}

EXPORT cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle) {
    ENTER("cusolverDnDestroy", handle)
    std::lock_guard<std::mutex> lock(guard);
    objects().erase(handle);
    delete handle;
    return CUSOLVER_STATUS_SUCCESS;
}

// For tests: cuSOLVER handles and parameter objects created and not destroyed.
EXPORT long long emu_cusolver_objects(void) {
    std::lock_guard<std::mutex> lock(guard);
    return (long long)objects().size();
}

EXPORT cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream) {
    ENTER(__func__, handle)
    handle->stream = stream;
    return CUSOLVER_STATUS_SUCCESS;
}

EXPORT cusolverStatus_t cusolverDnGetStream(cusolverDnHandle_t handle, cudaStream_t* stream) {
    ENTER(__func__, handle)
    REQUIRE(stream);
    *stream = handle->stream;
    return CUSOLVER_STATUS_SUCCESS;
}

EXPORT cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* params) {
    return create(__func__, params);
}

EXPORT cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t params) {
    return destroy(__func__, params);
}

EXPORT cusolverStatus_t cusolverDnSetAdvOptions(cusolverDnParams_t params, cusolverDnFunction_t function,
                                                cusolverAlgMode_t algorithm) {
    if (int injected = emu_fault(__func__)) {
        return (cusolverStatus_t)injected;
    }
    REQUIRE(params && (function == CUSOLVERDN_GETRF || function == CUSOLVERDN_POTRF));
    REQUIRE(algorithm >= CUSOLVER_ALG_0 && algorithm <= CUSOLVER_ALG_2);
    params->algorithms[function] = algorithm;
    return CUSOLVER_STATUS_SUCCESS;
}

EXPORT cusolverStatus_t cusolverGetVersion(int* version) {
    REQUIRE(version);
    *version = 11701;
    return CUSOLVER_STATUS_SUCCESS;
}

EXPORT cusolverStatus_t cusolverGetProperty(libraryPropertyType type, int* value) {
    REQUIRE(value && type >= MAJOR_VERSION && type <= PATCH_LEVEL);
    *value = type == MAJOR_VERSION ? 11 : type == MINOR_VERSION ? 7 : 1;
    return CUSOLVER_STATUS_SUCCESS;
}

#define JACOBI(TYPE, CREATE, DESTROY, SET_TOLERANCE, SET_SWEEPS, SET_SORT, GET_RESIDUAL, GET_SWEEPS)         \
    EXPORT cusolverStatus_t CREATE(TYPE* info) {                                                            \
        return create(__func__, info);                                                                      \
    }                                                                                                       \
    EXPORT cusolverStatus_t DESTROY(TYPE info) {                                                            \
        return destroy(__func__, info);                                                                     \
    }                                                                                                       \
    EXPORT cusolverStatus_t SET_TOLERANCE(TYPE info, double tolerance) {                                    \
        Jacobi* state = jacobi(__func__, info);                                                             \
        REQUIRE(state && tolerance >= 0);                                                                   \
        state->tolerance = tolerance;                                                                       \
        return CUSOLVER_STATUS_SUCCESS;                                                                     \
    }                                                                                                       \
    EXPORT cusolverStatus_t SET_SWEEPS(TYPE info, int sweeps) {                                             \
        Jacobi* state = jacobi(__func__, info);                                                             \
        REQUIRE(state && sweeps >= 0);                                                                      \
        state->maxSweeps = sweeps;                                                                          \
        return CUSOLVER_STATUS_SUCCESS;                                                                     \
    }                                                                                                       \
    EXPORT cusolverStatus_t SET_SORT(TYPE info, int sort) {                                                 \
        Jacobi* state = jacobi(__func__, info);                                                             \
        REQUIRE(state);                                                                                     \
        state->sort = sort != 0;                                                                            \
        return CUSOLVER_STATUS_SUCCESS;                                                                     \
    }                                                                                                       \
    EXPORT cusolverStatus_t GET_RESIDUAL(cusolverDnHandle_t handle, TYPE info, double* residual) {          \
        ENTER(__func__, handle)                                                                             \
        Jacobi* state = jacobi(__func__, info);                                                             \
        REQUIRE(state && residual);                                                                         \
        *residual = state->residual;                                                                        \
        return state->batched ? CUSOLVER_STATUS_NOT_SUPPORTED : CUSOLVER_STATUS_SUCCESS;                    \
    }                                                                                                       \
    EXPORT cusolverStatus_t GET_SWEEPS(cusolverDnHandle_t handle, TYPE info, int* sweeps) {                 \
        ENTER(__func__, handle)                                                                             \
        Jacobi* state = jacobi(__func__, info);                                                             \
        REQUIRE(state && sweeps);                                                                           \
        *sweeps = state->sweeps;                                                                            \
        return state->batched ? CUSOLVER_STATUS_NOT_SUPPORTED : CUSOLVER_STATUS_SUCCESS;                    \
    }

JACOBI(gesvdjInfo_t, cusolverDnCreateGesvdjInfo, cusolverDnDestroyGesvdjInfo, cusolverDnXgesvdjSetTolerance,
       cusolverDnXgesvdjSetMaxSweeps, cusolverDnXgesvdjSetSortEig, cusolverDnXgesvdjGetResidual, cusolverDnXgesvdjGetSweeps)
JACOBI(syevjInfo_t, cusolverDnCreateSyevjInfo, cusolverDnDestroySyevjInfo, cusolverDnXsyevjSetTolerance,
       cusolverDnXsyevjSetMaxSweeps, cusolverDnXsyevjSetSortEig, cusolverDnXsyevjGetResidual, cusolverDnXsyevjGetSweeps)
