// The functions of cuBLAS that JCublas2 binds and the emulation does not have: calling one is recorded and answered "not
// supported". Without them the dynamic linker would end the process at the call. They are weak: a real definition in
// another file takes the place of one here.
#include "emu.h"

#define NAMES \
    X(cublasAsumEx) X(cublasAsumEx_64) X(cublasAxpyEx) X(cublasAxpyEx_64) X(cublasCaxpy_v2) X(cublasCaxpy_v2_64) \
    X(cublasCcopy_v2) X(cublasCcopy_v2_64) X(cublasCdgmm) X(cublasCdgmm_64) X(cublasCdotc_v2) X(cublasCdotc_v2_64) \
    X(cublasCdotu_v2) X(cublasCdotu_v2_64) X(cublasCgbmv_v2) X(cublasCgbmv_v2_64) X(cublasCgeam) X(cublasCgeam_64) \
    X(cublasCgelsBatched) X(cublasCgemm3m) X(cublasCgemm3mBatched) X(cublasCgemm3mBatched_64) X(cublasCgemm3mEx) \
    X(cublasCgemm3mEx_64) X(cublasCgemm3mStridedBatched) X(cublasCgemm3mStridedBatched_64) X(cublasCgemm3m_64) \
    X(cublasCgemmBatched) X(cublasCgemmBatched_64) X(cublasCgemmEx) X(cublasCgemmEx_64) X(cublasCgemmStridedBatched) \
    X(cublasCgemmStridedBatched_64) X(cublasCgemm_v2) X(cublasCgemm_v2_64) X(cublasCgemvBatched) \
    X(cublasCgemvBatched_64) X(cublasCgemvStridedBatched) X(cublasCgemvStridedBatched_64) X(cublasCgemv_v2) \
    X(cublasCgemv_v2_64) X(cublasCgeqrfBatched) X(cublasCgerc_v2) X(cublasCgerc_v2_64) X(cublasCgeru_v2) \
    X(cublasCgeru_v2_64) X(cublasCgetrfBatched) X(cublasCgetriBatched) X(cublasCgetrsBatched) X(cublasChbmv_v2) \
    X(cublasChbmv_v2_64) X(cublasChemm_v2) X(cublasChemm_v2_64) X(cublasChemv_v2) X(cublasChemv_v2_64) \
    X(cublasCher2_v2) X(cublasCher2_v2_64) X(cublasCher2k_v2) X(cublasCher2k_v2_64) X(cublasCher_v2) \
    X(cublasCher_v2_64) X(cublasCherk3mEx) X(cublasCherk3mEx_64) X(cublasCherkEx) X(cublasCherkEx_64) \
    X(cublasCherk_v2) X(cublasCherk_v2_64) X(cublasCherkx) X(cublasCherkx_64) X(cublasChpmv_v2) X(cublasChpmv_v2_64) \
    X(cublasChpr2_v2) X(cublasChpr2_v2_64) X(cublasChpr_v2) X(cublasChpr_v2_64) X(cublasCmatinvBatched) \
    X(cublasCopyEx) X(cublasCopyEx_64) X(cublasCreate_v2) X(cublasCrot_v2) X(cublasCrot_v2_64) X(cublasCrotg_v2) \
    X(cublasCscal_v2) X(cublasCscal_v2_64) X(cublasCsrot_v2) X(cublasCsrot_v2_64) X(cublasCsscal_v2) \
    X(cublasCsscal_v2_64) X(cublasCswap_v2) X(cublasCswap_v2_64) X(cublasCsymm_v2) X(cublasCsymm_v2_64) \
    X(cublasCsymv_v2) X(cublasCsymv_v2_64) X(cublasCsyr2_v2) X(cublasCsyr2_v2_64) X(cublasCsyr2k_v2) \
    X(cublasCsyr2k_v2_64) X(cublasCsyr_v2) X(cublasCsyr_v2_64) X(cublasCsyrk3mEx) X(cublasCsyrk3mEx_64) \
    X(cublasCsyrkEx) X(cublasCsyrkEx_64) X(cublasCsyrk_v2) X(cublasCsyrk_v2_64) X(cublasCsyrkx) X(cublasCsyrkx_64) \
    X(cublasCtbmv_v2) X(cublasCtbmv_v2_64) X(cublasCtbsv_v2) X(cublasCtbsv_v2_64) X(cublasCtpmv_v2) \
    X(cublasCtpmv_v2_64) X(cublasCtpsv_v2) X(cublasCtpsv_v2_64) X(cublasCtpttr) X(cublasCtrmm_v2) \
    X(cublasCtrmm_v2_64) X(cublasCtrmv_v2) X(cublasCtrmv_v2_64) X(cublasCtrsmBatched) X(cublasCtrsmBatched_64) \
    X(cublasCtrsm_v2) X(cublasCtrsm_v2_64) X(cublasCtrsv_v2) X(cublasCtrsv_v2_64) X(cublasCtrttp) X(cublasDasum_v2) \
    X(cublasDasum_v2_64) X(cublasDaxpy_v2) X(cublasDaxpy_v2_64) X(cublasDcopy_v2) X(cublasDcopy_v2_64) X(cublasDdgmm) \
    X(cublasDdgmm_64) X(cublasDdot_v2) X(cublasDdot_v2_64) X(cublasDestroy_v2) X(cublasDgbmv_v2) X(cublasDgbmv_v2_64) \
    X(cublasDgeam) X(cublasDgeam_64) X(cublasDgelsBatched) X(cublasDgemmBatched) X(cublasDgemmBatched_64) \
    X(cublasDgemmStridedBatched) X(cublasDgemmStridedBatched_64) X(cublasDgemm_v2) X(cublasDgemm_v2_64) \
    X(cublasDgemvBatched) X(cublasDgemvBatched_64) X(cublasDgemvStridedBatched) X(cublasDgemvStridedBatched_64) \
    X(cublasDgemv_v2) X(cublasDgemv_v2_64) X(cublasDgeqrfBatched) X(cublasDger_v2) X(cublasDger_v2_64) \
    X(cublasDgetrfBatched) X(cublasDgetriBatched) X(cublasDgetrsBatched) X(cublasDmatinvBatched) X(cublasDnrm2_v2) \
    X(cublasDnrm2_v2_64) X(cublasDotEx) X(cublasDotEx_64) X(cublasDotcEx) X(cublasDotcEx_64) X(cublasDrot_v2) \
    X(cublasDrot_v2_64) X(cublasDrotg_v2) X(cublasDrotm_v2) X(cublasDrotm_v2_64) X(cublasDrotmg_v2) X(cublasDsbmv_v2) \
    X(cublasDsbmv_v2_64) X(cublasDscal_v2) X(cublasDscal_v2_64) X(cublasDspmv_v2) X(cublasDspmv_v2_64) \
    X(cublasDspr2_v2) X(cublasDspr2_v2_64) X(cublasDspr_v2) X(cublasDspr_v2_64) X(cublasDswap_v2) \
    X(cublasDswap_v2_64) X(cublasDsymm_v2) X(cublasDsymm_v2_64) X(cublasDsymv_v2) X(cublasDsymv_v2_64) \
    X(cublasDsyr2_v2) X(cublasDsyr2_v2_64) X(cublasDsyr2k_v2) X(cublasDsyr2k_v2_64) X(cublasDsyr_v2) \
    X(cublasDsyr_v2_64) X(cublasDsyrk_v2) X(cublasDsyrk_v2_64) X(cublasDsyrkx) X(cublasDsyrkx_64) X(cublasDtbmv_v2) \
    X(cublasDtbmv_v2_64) X(cublasDtbsv_v2) X(cublasDtbsv_v2_64) X(cublasDtpmv_v2) X(cublasDtpmv_v2_64) \
    X(cublasDtpsv_v2) X(cublasDtpsv_v2_64) X(cublasDtpttr) X(cublasDtrmm_v2) X(cublasDtrmm_v2_64) X(cublasDtrmv_v2) \
    X(cublasDtrmv_v2_64) X(cublasDtrsmBatched) X(cublasDtrsmBatched_64) X(cublasDtrsm_v2) X(cublasDtrsm_v2_64) \
    X(cublasDtrsv_v2) X(cublasDtrsv_v2_64) X(cublasDtrttp) X(cublasDzasum_v2) X(cublasDzasum_v2_64) \
    X(cublasDznrm2_v2) X(cublasDznrm2_v2_64) X(cublasGemmBatchedEx) X(cublasGemmBatchedEx_64) X(cublasGemmEx) \
    X(cublasGemmEx_64) X(cublasGemmStridedBatchedEx) X(cublasGemmStridedBatchedEx_64) X(cublasGetAtomicsMode) \
    X(cublasGetCudartVersion) X(cublasGetMathMode) X(cublasGetMatrix) X(cublasGetMatrixAsync) \
    X(cublasGetMatrixAsync_64) X(cublasGetMatrix_64) X(cublasGetPointerMode_v2) X(cublasGetProperty) \
    X(cublasGetSmCountTarget) X(cublasGetStatusName) X(cublasGetStatusString) X(cublasGetStream_v2) \
    X(cublasGetVector) X(cublasGetVectorAsync) X(cublasGetVectorAsync_64) X(cublasGetVector_64) \
    X(cublasGetVersion_v2) X(cublasIamaxEx) X(cublasIamaxEx_64) X(cublasIaminEx) X(cublasIaminEx_64) \
    X(cublasIcamax_v2) X(cublasIcamax_v2_64) X(cublasIcamin_v2) X(cublasIcamin_v2_64) X(cublasIdamax_v2) \
    X(cublasIdamax_v2_64) X(cublasIdamin_v2) X(cublasIdamin_v2_64) X(cublasIsamax_v2) X(cublasIsamax_v2_64) \
    X(cublasIsamin_v2) X(cublasIsamin_v2_64) X(cublasIzamax_v2) X(cublasIzamax_v2_64) X(cublasIzamin_v2) \
    X(cublasIzamin_v2_64) X(cublasNrm2Ex) X(cublasNrm2Ex_64) X(cublasRotEx) X(cublasRotEx_64) X(cublasRotgEx) \
    X(cublasRotmEx) X(cublasRotmEx_64) X(cublasRotmgEx) X(cublasSasum_v2) X(cublasSasum_v2_64) X(cublasSaxpy_v2) \
    X(cublasSaxpy_v2_64) X(cublasScalEx) X(cublasScalEx_64) X(cublasScasum_v2) X(cublasScasum_v2_64) \
    X(cublasScnrm2_v2) X(cublasScnrm2_v2_64) X(cublasScopy_v2) X(cublasScopy_v2_64) X(cublasSdgmm) X(cublasSdgmm_64) \
    X(cublasSdot_v2) X(cublasSdot_v2_64) X(cublasSetAtomicsMode) X(cublasSetMathMode) X(cublasSetMatrix) \
    X(cublasSetMatrixAsync) X(cublasSetMatrixAsync_64) X(cublasSetMatrix_64) X(cublasSetPointerMode_v2) \
    X(cublasSetSmCountTarget) X(cublasSetStream_v2) X(cublasSetVector) X(cublasSetVectorAsync) \
    X(cublasSetVectorAsync_64) X(cublasSetVector_64) X(cublasSetWorkspace_v2) X(cublasSgbmv_v2) X(cublasSgbmv_v2_64) \
    X(cublasSgeam) X(cublasSgeam_64) X(cublasSgelsBatched) X(cublasSgemmBatched) X(cublasSgemmBatched_64) \
    X(cublasSgemmEx) X(cublasSgemmEx_64) X(cublasSgemmStridedBatched) X(cublasSgemmStridedBatched_64) \
    X(cublasSgemm_v2) X(cublasSgemm_v2_64) X(cublasSgemvBatched) X(cublasSgemvBatched_64) \
    X(cublasSgemvStridedBatched) X(cublasSgemvStridedBatched_64) X(cublasSgemv_v2) X(cublasSgemv_v2_64) \
    X(cublasSgeqrfBatched) X(cublasSger_v2) X(cublasSger_v2_64) X(cublasSgetrfBatched) X(cublasSgetriBatched) \
    X(cublasSgetrsBatched) X(cublasSmatinvBatched) X(cublasSnrm2_v2) X(cublasSnrm2_v2_64) X(cublasSrot_v2) \
    X(cublasSrot_v2_64) X(cublasSrotg_v2) X(cublasSrotm_v2) X(cublasSrotm_v2_64) X(cublasSrotmg_v2) X(cublasSsbmv_v2) \
    X(cublasSsbmv_v2_64) X(cublasSscal_v2) X(cublasSscal_v2_64) X(cublasSspmv_v2) X(cublasSspmv_v2_64) \
    X(cublasSspr2_v2) X(cublasSspr2_v2_64) X(cublasSspr_v2) X(cublasSspr_v2_64) X(cublasSswap_v2) \
    X(cublasSswap_v2_64) X(cublasSsymm_v2) X(cublasSsymm_v2_64) X(cublasSsymv_v2) X(cublasSsymv_v2_64) \
    X(cublasSsyr2_v2) X(cublasSsyr2_v2_64) X(cublasSsyr2k_v2) X(cublasSsyr2k_v2_64) X(cublasSsyr_v2) \
    X(cublasSsyr_v2_64) X(cublasSsyrk_v2) X(cublasSsyrk_v2_64) X(cublasSsyrkx) X(cublasSsyrkx_64) X(cublasStbmv_v2) \
    X(cublasStbmv_v2_64) X(cublasStbsv_v2) X(cublasStbsv_v2_64) X(cublasStpmv_v2) X(cublasStpmv_v2_64) \
    X(cublasStpsv_v2) X(cublasStpsv_v2_64) X(cublasStpttr) X(cublasStrmm_v2) X(cublasStrmm_v2_64) X(cublasStrmv_v2) \
    X(cublasStrmv_v2_64) X(cublasStrsmBatched) X(cublasStrsmBatched_64) X(cublasStrsm_v2) X(cublasStrsm_v2_64) \
    X(cublasStrsv_v2) X(cublasStrsv_v2_64) X(cublasStrttp) X(cublasSwapEx) X(cublasSwapEx_64) X(cublasZaxpy_v2) \
    X(cublasZaxpy_v2_64) X(cublasZcopy_v2) X(cublasZcopy_v2_64) X(cublasZdgmm) X(cublasZdgmm_64) X(cublasZdotc_v2) \
    X(cublasZdotc_v2_64) X(cublasZdotu_v2) X(cublasZdotu_v2_64) X(cublasZdrot_v2) X(cublasZdrot_v2_64) \
    X(cublasZdscal_v2) X(cublasZdscal_v2_64) X(cublasZgbmv_v2) X(cublasZgbmv_v2_64) X(cublasZgeam) X(cublasZgeam_64) \
    X(cublasZgelsBatched) X(cublasZgemm3m) X(cublasZgemm3m_64) X(cublasZgemmBatched) X(cublasZgemmBatched_64) \
    X(cublasZgemmStridedBatched) X(cublasZgemmStridedBatched_64) X(cublasZgemm_v2) X(cublasZgemm_v2_64) \
    X(cublasZgemvBatched) X(cublasZgemvBatched_64) X(cublasZgemvStridedBatched) X(cublasZgemvStridedBatched_64) \
    X(cublasZgemv_v2) X(cublasZgemv_v2_64) X(cublasZgeqrfBatched) X(cublasZgerc_v2) X(cublasZgerc_v2_64) \
    X(cublasZgeru_v2) X(cublasZgeru_v2_64) X(cublasZgetrfBatched) X(cublasZgetriBatched) X(cublasZgetrsBatched) \
    X(cublasZhbmv_v2) X(cublasZhbmv_v2_64) X(cublasZhemm_v2) X(cublasZhemm_v2_64) X(cublasZhemv_v2) \
    X(cublasZhemv_v2_64) X(cublasZher2_v2) X(cublasZher2_v2_64) X(cublasZher2k_v2) X(cublasZher2k_v2_64) \
    X(cublasZher_v2) X(cublasZher_v2_64) X(cublasZherk_v2) X(cublasZherk_v2_64) X(cublasZherkx) X(cublasZherkx_64) \
    X(cublasZhpmv_v2) X(cublasZhpmv_v2_64) X(cublasZhpr2_v2) X(cublasZhpr2_v2_64) X(cublasZhpr_v2) \
    X(cublasZhpr_v2_64) X(cublasZmatinvBatched) X(cublasZrot_v2) X(cublasZrot_v2_64) X(cublasZrotg_v2) \
    X(cublasZscal_v2) X(cublasZscal_v2_64) X(cublasZswap_v2) X(cublasZswap_v2_64) X(cublasZsymm_v2) \
    X(cublasZsymm_v2_64) X(cublasZsymv_v2) X(cublasZsymv_v2_64) X(cublasZsyr2_v2) X(cublasZsyr2_v2_64) \
    X(cublasZsyr2k_v2) X(cublasZsyr2k_v2_64) X(cublasZsyr_v2) X(cublasZsyr_v2_64) X(cublasZsyrk_v2) \
    X(cublasZsyrk_v2_64) X(cublasZsyrkx) X(cublasZsyrkx_64) X(cublasZtbmv_v2) X(cublasZtbmv_v2_64) X(cublasZtbsv_v2) \
    X(cublasZtbsv_v2_64) X(cublasZtpmv_v2) X(cublasZtpmv_v2_64) X(cublasZtpsv_v2) X(cublasZtpsv_v2_64) \
    X(cublasZtpttr) X(cublasZtrmm_v2) X(cublasZtrmm_v2_64) X(cublasZtrmv_v2) X(cublasZtrmv_v2_64) \
    X(cublasZtrsmBatched) X(cublasZtrsmBatched_64) X(cublasZtrsm_v2) X(cublasZtrsm_v2_64) X(cublasZtrsv_v2) \
    X(cublasZtrsv_v2_64) X(cublasZtrttp)

static int absent(const char* function) {
    emu_error("%s: the emulation does not have this function", function);
    return 15;
}

#define X(NAME)                                                                  \
    extern "C" __attribute__((visibility("default"), weak)) int NAME(void) {     \
        return absent(#NAME);                                                    \
    }
NAMES
