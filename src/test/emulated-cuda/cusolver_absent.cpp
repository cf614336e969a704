// The functions of cuSOLVER that JCusolver binds and the emulation does not have: calling one is recorded and answered "not
// supported". Without them the dynamic linker would end the process at the call. They are weak: a real definition in
// another file takes the place of one here.
#include "emu.h"

#define NAMES \
    X(cusolverDnCCgels) X(cusolverDnCCgels_bufferSize) X(cusolverDnCCgesv) X(cusolverDnCCgesv_bufferSize) \
    X(cusolverDnCEgels) X(cusolverDnCEgels_bufferSize) X(cusolverDnCEgesv) X(cusolverDnCEgesv_bufferSize) \
    X(cusolverDnCKgels) X(cusolverDnCKgels_bufferSize) X(cusolverDnCKgesv) X(cusolverDnCKgesv_bufferSize) \
    X(cusolverDnCYgels) X(cusolverDnCYgels_bufferSize) X(cusolverDnCYgesv) X(cusolverDnCYgesv_bufferSize) \
    X(cusolverDnCgebrd) X(cusolverDnCgebrd_bufferSize) X(cusolverDnCgeqrf) X(cusolverDnCgeqrf_bufferSize) \
    X(cusolverDnCgesvd) X(cusolverDnCgesvd_bufferSize) X(cusolverDnCgesvdaStridedBatched) \
    X(cusolverDnCgesvdaStridedBatched_bufferSize) X(cusolverDnCgesvdj) X(cusolverDnCgesvdjBatched) \
    X(cusolverDnCgesvdjBatched_bufferSize) X(cusolverDnCgesvdj_bufferSize) X(cusolverDnCgetrf) \
    X(cusolverDnCgetrf_bufferSize) X(cusolverDnCgetrs) X(cusolverDnCheevd) X(cusolverDnCheevd_bufferSize) \
    X(cusolverDnCheevdx) X(cusolverDnCheevdx_bufferSize) X(cusolverDnCheevj) X(cusolverDnCheevjBatched) \
    X(cusolverDnCheevjBatched_bufferSize) X(cusolverDnCheevj_bufferSize) X(cusolverDnChegvd) \
    X(cusolverDnChegvd_bufferSize) X(cusolverDnChegvdx) X(cusolverDnChegvdx_bufferSize) X(cusolverDnChegvj) \
    X(cusolverDnChegvj_bufferSize) X(cusolverDnChetrd) X(cusolverDnChetrd_bufferSize) X(cusolverDnClaswp) \
    X(cusolverDnClauum) X(cusolverDnClauum_bufferSize) X(cusolverDnCpotrf) X(cusolverDnCpotrfBatched) \
    X(cusolverDnCpotrf_bufferSize) X(cusolverDnCpotri) X(cusolverDnCpotri_bufferSize) X(cusolverDnCpotrs) \
    X(cusolverDnCpotrsBatched) X(cusolverDnCreate) X(cusolverDnCreateGesvdjInfo) X(cusolverDnCreateParams) \
    X(cusolverDnCreateSyevjInfo) X(cusolverDnCsytrf) X(cusolverDnCsytrf_bufferSize) X(cusolverDnCsytri) \
    X(cusolverDnCsytri_bufferSize) X(cusolverDnCungbr) X(cusolverDnCungbr_bufferSize) X(cusolverDnCungqr) \
    X(cusolverDnCungqr_bufferSize) X(cusolverDnCungtr) X(cusolverDnCungtr_bufferSize) X(cusolverDnCunmqr) \
    X(cusolverDnCunmqr_bufferSize) X(cusolverDnCunmtr) X(cusolverDnCunmtr_bufferSize) X(cusolverDnDBgels) \
    X(cusolverDnDBgels_bufferSize) X(cusolverDnDBgesv) X(cusolverDnDBgesv_bufferSize) X(cusolverDnDDgels) \
    X(cusolverDnDDgels_bufferSize) X(cusolverDnDDgesv) X(cusolverDnDDgesv_bufferSize) X(cusolverDnDHgels) \
    X(cusolverDnDHgels_bufferSize) X(cusolverDnDHgesv) X(cusolverDnDHgesv_bufferSize) X(cusolverDnDSgels) \
    X(cusolverDnDSgels_bufferSize) X(cusolverDnDSgesv) X(cusolverDnDSgesv_bufferSize) X(cusolverDnDXgels) \
    X(cusolverDnDXgels_bufferSize) X(cusolverDnDXgesv) X(cusolverDnDXgesv_bufferSize) X(cusolverDnDestroy) \
    X(cusolverDnDestroyGesvdjInfo) X(cusolverDnDestroyParams) X(cusolverDnDestroySyevjInfo) X(cusolverDnDgebrd) \
    X(cusolverDnDgebrd_bufferSize) X(cusolverDnDgeqrf) X(cusolverDnDgeqrf_bufferSize) X(cusolverDnDgesvd) \
    X(cusolverDnDgesvd_bufferSize) X(cusolverDnDgesvdaStridedBatched) X(cusolverDnDgesvdaStridedBatched_bufferSize) \
    X(cusolverDnDgesvdj) X(cusolverDnDgesvdjBatched) X(cusolverDnDgesvdjBatched_bufferSize) \
    X(cusolverDnDgesvdj_bufferSize) X(cusolverDnDgetrf) X(cusolverDnDgetrf_bufferSize) X(cusolverDnDgetrs) \
    X(cusolverDnDlaswp) X(cusolverDnDlauum) X(cusolverDnDlauum_bufferSize) X(cusolverDnDorgbr) \
    X(cusolverDnDorgbr_bufferSize) X(cusolverDnDorgqr) X(cusolverDnDorgqr_bufferSize) X(cusolverDnDorgtr) \
    X(cusolverDnDorgtr_bufferSize) X(cusolverDnDormqr) X(cusolverDnDormqr_bufferSize) X(cusolverDnDormtr) \
    X(cusolverDnDormtr_bufferSize) X(cusolverDnDpotrf) X(cusolverDnDpotrfBatched) X(cusolverDnDpotrf_bufferSize) \
    X(cusolverDnDpotri) X(cusolverDnDpotri_bufferSize) X(cusolverDnDpotrs) X(cusolverDnDpotrsBatched) \
    X(cusolverDnDsyevd) X(cusolverDnDsyevd_bufferSize) X(cusolverDnDsyevdx) X(cusolverDnDsyevdx_bufferSize) \
    X(cusolverDnDsyevj) X(cusolverDnDsyevjBatched) X(cusolverDnDsyevjBatched_bufferSize) \
    X(cusolverDnDsyevj_bufferSize) X(cusolverDnDsygvd) X(cusolverDnDsygvd_bufferSize) X(cusolverDnDsygvdx) \
    X(cusolverDnDsygvdx_bufferSize) X(cusolverDnDsygvj) X(cusolverDnDsygvj_bufferSize) X(cusolverDnDsytrd) \
    X(cusolverDnDsytrd_bufferSize) X(cusolverDnDsytrf) X(cusolverDnDsytrf_bufferSize) X(cusolverDnDsytri) \
    X(cusolverDnDsytri_bufferSize) X(cusolverDnGeqrf) X(cusolverDnGeqrf_bufferSize) X(cusolverDnGesvd) \
    X(cusolverDnGesvd_bufferSize) X(cusolverDnGetStream) X(cusolverDnGetrf) X(cusolverDnGetrf_bufferSize) \
    X(cusolverDnGetrs) X(cusolverDnIRSInfosCreate) X(cusolverDnIRSInfosDestroy) X(cusolverDnIRSInfosGetMaxIters) \
    X(cusolverDnIRSInfosGetNiters) X(cusolverDnIRSInfosGetOuterNiters) X(cusolverDnIRSInfosGetResidualHistory) \
    X(cusolverDnIRSInfosRequestResidual) X(cusolverDnIRSParamsCreate) X(cusolverDnIRSParamsDestroy) \
    X(cusolverDnIRSParamsDisableFallback) X(cusolverDnIRSParamsEnableFallback) X(cusolverDnIRSParamsGetMaxIters) \
    X(cusolverDnIRSParamsSetMaxIters) X(cusolverDnIRSParamsSetMaxItersInner) \
    X(cusolverDnIRSParamsSetRefinementSolver) X(cusolverDnIRSParamsSetSolverLowestPrecision) \
    X(cusolverDnIRSParamsSetSolverMainPrecision) X(cusolverDnIRSParamsSetSolverPrecisions) \
    X(cusolverDnIRSParamsSetTol) X(cusolverDnIRSParamsSetTolInner) X(cusolverDnIRSXgels) \
    X(cusolverDnIRSXgels_bufferSize) X(cusolverDnIRSXgesv) X(cusolverDnIRSXgesv_bufferSize) X(cusolverDnPotrf) \
    X(cusolverDnPotrf_bufferSize) X(cusolverDnPotrs) X(cusolverDnSBgels) X(cusolverDnSBgels_bufferSize) \
    X(cusolverDnSBgesv) X(cusolverDnSBgesv_bufferSize) X(cusolverDnSHgels) X(cusolverDnSHgels_bufferSize) \
    X(cusolverDnSHgesv) X(cusolverDnSHgesv_bufferSize) X(cusolverDnSSgels) X(cusolverDnSSgels_bufferSize) \
    X(cusolverDnSSgesv) X(cusolverDnSSgesv_bufferSize) X(cusolverDnSXgels) X(cusolverDnSXgels_bufferSize) \
    X(cusolverDnSXgesv) X(cusolverDnSXgesv_bufferSize) X(cusolverDnSetAdvOptions) X(cusolverDnSetStream) \
    X(cusolverDnSgebrd) X(cusolverDnSgebrd_bufferSize) X(cusolverDnSgeqrf) X(cusolverDnSgeqrf_bufferSize) \
    X(cusolverDnSgesvd) X(cusolverDnSgesvd_bufferSize) X(cusolverDnSgesvdaStridedBatched) \
    X(cusolverDnSgesvdaStridedBatched_bufferSize) X(cusolverDnSgesvdj) X(cusolverDnSgesvdjBatched) \
    X(cusolverDnSgesvdjBatched_bufferSize) X(cusolverDnSgesvdj_bufferSize) X(cusolverDnSgetrf) \
    X(cusolverDnSgetrf_bufferSize) X(cusolverDnSgetrs) X(cusolverDnSlaswp) X(cusolverDnSlauum) \
    X(cusolverDnSlauum_bufferSize) X(cusolverDnSorgbr) X(cusolverDnSorgbr_bufferSize) X(cusolverDnSorgqr) \
    X(cusolverDnSorgqr_bufferSize) X(cusolverDnSorgtr) X(cusolverDnSorgtr_bufferSize) X(cusolverDnSormqr) \
    X(cusolverDnSormqr_bufferSize) X(cusolverDnSormtr) X(cusolverDnSormtr_bufferSize) X(cusolverDnSpotrf) \
    X(cusolverDnSpotrfBatched) X(cusolverDnSpotrf_bufferSize) X(cusolverDnSpotri) X(cusolverDnSpotri_bufferSize) \
    X(cusolverDnSpotrs) X(cusolverDnSpotrsBatched) X(cusolverDnSsyevd) X(cusolverDnSsyevd_bufferSize) \
    X(cusolverDnSsyevdx) X(cusolverDnSsyevdx_bufferSize) X(cusolverDnSsyevj) X(cusolverDnSsyevjBatched) \
    X(cusolverDnSsyevjBatched_bufferSize) X(cusolverDnSsyevj_bufferSize) X(cusolverDnSsygvd) \
    X(cusolverDnSsygvd_bufferSize) X(cusolverDnSsygvdx) X(cusolverDnSsygvdx_bufferSize) X(cusolverDnSsygvj) \
    X(cusolverDnSsygvj_bufferSize) X(cusolverDnSsytrd) X(cusolverDnSsytrd_bufferSize) X(cusolverDnSsytrf) \
    X(cusolverDnSsytrf_bufferSize) X(cusolverDnSsytri) X(cusolverDnSsytri_bufferSize) X(cusolverDnSyevd) \
    X(cusolverDnSyevd_bufferSize) X(cusolverDnSyevdx) X(cusolverDnSyevdx_bufferSize) X(cusolverDnXgeqrf) \
    X(cusolverDnXgeqrf_bufferSize) X(cusolverDnXgesvd) X(cusolverDnXgesvd_bufferSize) X(cusolverDnXgesvdjGetResidual) \
    X(cusolverDnXgesvdjGetSweeps) X(cusolverDnXgesvdjSetMaxSweeps) X(cusolverDnXgesvdjSetSortEig) \
    X(cusolverDnXgesvdjSetTolerance) X(cusolverDnXgesvdp) X(cusolverDnXgesvdp_bufferSize) X(cusolverDnXgesvdr) \
    X(cusolverDnXgesvdr_bufferSize) X(cusolverDnXgetrf) X(cusolverDnXgetrf_bufferSize) X(cusolverDnXgetrs) \
    X(cusolverDnXpotrf) X(cusolverDnXpotrf_bufferSize) X(cusolverDnXpotrs) X(cusolverDnXsyevd) \
    X(cusolverDnXsyevd_bufferSize) X(cusolverDnXsyevdx) X(cusolverDnXsyevdx_bufferSize) \
    X(cusolverDnXsyevjGetResidual) X(cusolverDnXsyevjGetSweeps) X(cusolverDnXsyevjSetMaxSweeps) \
    X(cusolverDnXsyevjSetSortEig) X(cusolverDnXsyevjSetTolerance) X(cusolverDnXsytrs) X(cusolverDnXsytrs_bufferSize) \
    X(cusolverDnXtrtri) X(cusolverDnXtrtri_bufferSize) X(cusolverDnZCgels) X(cusolverDnZCgels_bufferSize) \
    X(cusolverDnZCgesv) X(cusolverDnZCgesv_bufferSize) X(cusolverDnZEgels) X(cusolverDnZEgels_bufferSize) \
    X(cusolverDnZEgesv) X(cusolverDnZEgesv_bufferSize) X(cusolverDnZKgels) X(cusolverDnZKgels_bufferSize) \
    X(cusolverDnZKgesv) X(cusolverDnZKgesv_bufferSize) X(cusolverDnZYgels) X(cusolverDnZYgels_bufferSize) \
    X(cusolverDnZYgesv) X(cusolverDnZYgesv_bufferSize) X(cusolverDnZZgels) X(cusolverDnZZgels_bufferSize) \
    X(cusolverDnZZgesv) X(cusolverDnZZgesv_bufferSize) X(cusolverDnZgebrd) X(cusolverDnZgebrd_bufferSize) \
    X(cusolverDnZgeqrf) X(cusolverDnZgeqrf_bufferSize) X(cusolverDnZgesvd) X(cusolverDnZgesvd_bufferSize) \
    X(cusolverDnZgesvdaStridedBatched) X(cusolverDnZgesvdaStridedBatched_bufferSize) X(cusolverDnZgesvdj) \
    X(cusolverDnZgesvdjBatched) X(cusolverDnZgesvdjBatched_bufferSize) X(cusolverDnZgesvdj_bufferSize) \
    X(cusolverDnZgetrf) X(cusolverDnZgetrf_bufferSize) X(cusolverDnZgetrs) X(cusolverDnZheevd) \
    X(cusolverDnZheevd_bufferSize) X(cusolverDnZheevdx) X(cusolverDnZheevdx_bufferSize) X(cusolverDnZheevj) \
    X(cusolverDnZheevjBatched) X(cusolverDnZheevjBatched_bufferSize) X(cusolverDnZheevj_bufferSize) \
    X(cusolverDnZhegvd) X(cusolverDnZhegvd_bufferSize) X(cusolverDnZhegvdx) X(cusolverDnZhegvdx_bufferSize) \
    X(cusolverDnZhegvj) X(cusolverDnZhegvj_bufferSize) X(cusolverDnZhetrd) X(cusolverDnZhetrd_bufferSize) \
    X(cusolverDnZlaswp) X(cusolverDnZlauum) X(cusolverDnZlauum_bufferSize) X(cusolverDnZpotrf) \
    X(cusolverDnZpotrfBatched) X(cusolverDnZpotrf_bufferSize) X(cusolverDnZpotri) X(cusolverDnZpotri_bufferSize) \
    X(cusolverDnZpotrs) X(cusolverDnZpotrsBatched) X(cusolverDnZsytrf) X(cusolverDnZsytrf_bufferSize) \
    X(cusolverDnZsytri) X(cusolverDnZsytri_bufferSize) X(cusolverDnZungbr) X(cusolverDnZungbr_bufferSize) \
    X(cusolverDnZungqr) X(cusolverDnZungqr_bufferSize) X(cusolverDnZungtr) X(cusolverDnZungtr_bufferSize) \
    X(cusolverDnZunmqr) X(cusolverDnZunmqr_bufferSize) X(cusolverDnZunmtr) X(cusolverDnZunmtr_bufferSize) \
    X(cusolverGetProperty) X(cusolverGetVersion) X(cusolverRfAccessBundledFactorsDevice) X(cusolverRfAnalyze) \
    X(cusolverRfBatchAnalyze) X(cusolverRfBatchRefactor) X(cusolverRfBatchResetValues) X(cusolverRfBatchSetupHost) \
    X(cusolverRfBatchSolve) X(cusolverRfBatchZeroPivot) X(cusolverRfCreate) X(cusolverRfDestroy) \
    X(cusolverRfExtractBundledFactorsHost) X(cusolverRfExtractSplitFactorsHost) X(cusolverRfGetAlgs) \
    X(cusolverRfGetMatrixFormat) X(cusolverRfGetNumericBoostReport) X(cusolverRfGetNumericProperties) \
    X(cusolverRfGetResetValuesFastMode) X(cusolverRfRefactor) X(cusolverRfResetValues) X(cusolverRfSetAlgs) \
    X(cusolverRfSetMatrixFormat) X(cusolverRfSetNumericProperties) X(cusolverRfSetResetValuesFastMode) \
    X(cusolverRfSetupDevice) X(cusolverRfSetupHost) X(cusolverRfSolve) X(cusolverSpCcsreigsHost) \
    X(cusolverSpCcsreigvsi) X(cusolverSpCcsreigvsiHost) X(cusolverSpCcsrlsqvqrHost) X(cusolverSpCcsrlsvchol) \
    X(cusolverSpCcsrlsvcholHost) X(cusolverSpCcsrlsvluHost) X(cusolverSpCcsrlsvqr) X(cusolverSpCcsrlsvqrHost) \
    X(cusolverSpCcsrqrBufferInfoBatched) X(cusolverSpCcsrqrsvBatched) X(cusolverSpCcsrzfdHost) X(cusolverSpCreate) \
    X(cusolverSpCreateCsrqrInfo) X(cusolverSpDcsreigsHost) X(cusolverSpDcsreigvsi) X(cusolverSpDcsreigvsiHost) \
    X(cusolverSpDcsrlsqvqrHost) X(cusolverSpDcsrlsvchol) X(cusolverSpDcsrlsvcholHost) X(cusolverSpDcsrlsvluHost) \
    X(cusolverSpDcsrlsvqr) X(cusolverSpDcsrlsvqrHost) X(cusolverSpDcsrqrBufferInfoBatched) \
    X(cusolverSpDcsrqrsvBatched) X(cusolverSpDcsrzfdHost) X(cusolverSpDestroy) X(cusolverSpDestroyCsrqrInfo) \
    X(cusolverSpGetStream) X(cusolverSpScsreigsHost) X(cusolverSpScsreigvsi) X(cusolverSpScsreigvsiHost) \
    X(cusolverSpScsrlsqvqrHost) X(cusolverSpScsrlsvchol) X(cusolverSpScsrlsvcholHost) X(cusolverSpScsrlsvluHost) \
    X(cusolverSpScsrlsvqr) X(cusolverSpScsrlsvqrHost) X(cusolverSpScsrqrBufferInfoBatched) \
    X(cusolverSpScsrqrsvBatched) X(cusolverSpScsrzfdHost) X(cusolverSpSetStream) X(cusolverSpXcsrissymHost) \
    X(cusolverSpXcsrmetisndHost) X(cusolverSpXcsrpermHost) X(cusolverSpXcsrperm_bufferSizeHost) \
    X(cusolverSpXcsrqrAnalysisBatched) X(cusolverSpXcsrsymamdHost) X(cusolverSpXcsrsymmdqHost) \
    X(cusolverSpXcsrsymrcmHost) X(cusolverSpZcsreigsHost) X(cusolverSpZcsreigvsi) X(cusolverSpZcsreigvsiHost) \
    X(cusolverSpZcsrlsqvqrHost) X(cusolverSpZcsrlsvchol) X(cusolverSpZcsrlsvcholHost) X(cusolverSpZcsrlsvluHost) \
    X(cusolverSpZcsrlsvqr) X(cusolverSpZcsrlsvqrHost) X(cusolverSpZcsrqrBufferInfoBatched) \
    X(cusolverSpZcsrqrsvBatched) X(cusolverSpZcsrzfdHost)

static int absent(const char* function) {
    emu_error("%s: the emulation does not have this function", function);
    return 9;
}

#define X(NAME)                                                                  \
    extern "C" __attribute__((visibility("default"), weak)) int NAME(void) {     \
        return absent(#NAME);                                                    \
    }
NAMES
