// SPDX-License-Identifier: Apache-2.0
// The part of cuSOLVER that tb/ uses, on the processor: see emulator.hpp.
#pragma once

#include "cublas_v2.h"

enum cusolverStatus_t {
    CUSOLVER_STATUS_SUCCESS = 0,
    CUSOLVER_STATUS_NOT_INITIALIZED = 1,
    CUSOLVER_STATUS_ALLOC_FAILED = 2,
    CUSOLVER_STATUS_INVALID_VALUE = 3
};
enum cusolverEigMode_t { CUSOLVER_EIG_MODE_NOVECTOR, CUSOLVER_EIG_MODE_VECTOR };
using cusolverDnHandle_t = struct cusolverDnContext*;
using cusolverDnParams_t = struct cusolverDnParams*;

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle);
cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle);
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream);
cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* parameters);
cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t parameters);

cusolverStatus_t cusolverDnXpotrf_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t parameters,
                                             cublasFillMode_t fill, std::int64_t n, cudaDataType type_a,
                                             const void* a, std::int64_t lda, cudaDataType type,
                                             std::size_t* on_device, std::size_t* on_host);
cusolverStatus_t cusolverDnXpotrf(cusolverDnHandle_t handle, cusolverDnParams_t parameters,
                                  cublasFillMode_t fill, std::int64_t n, cudaDataType type_a, void* a,
                                  std::int64_t lda, cudaDataType type, void* on_device,
                                  std::size_t device_bytes, void* on_host, std::size_t host_bytes, int* info);
cusolverStatus_t cusolverDnXsyevd_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t parameters,
                                             cusolverEigMode_t mode, cublasFillMode_t fill, std::int64_t n,
                                             cudaDataType type_a, const void* a, std::int64_t lda,
                                             cudaDataType type_w, const void* w, cudaDataType type,
                                             std::size_t* on_device, std::size_t* on_host);
cusolverStatus_t cusolverDnXsyevd(cusolverDnHandle_t handle, cusolverDnParams_t parameters,
                                  cusolverEigMode_t mode, cublasFillMode_t fill, std::int64_t n,
                                  cudaDataType type_a, void* a, std::int64_t lda, cudaDataType type_w,
                                  void* w, cudaDataType type, void* on_device, std::size_t device_bytes,
                                  void* on_host, std::size_t host_bytes, int* info);
