// SPDX-License-Identifier: Apache-2.0
// What a compiler may use beyond plain x86-64: GCC's name of it, and the macro that is 1 where it may.
#pragma once

#define STEMBRIDGE_PROCESSOR_FEATURES(feature)                                                              \
    feature("sse3", __SSE3__) feature("ssse3", __SSSE3__) feature("sse4.1", __SSE4_1__)                     \
        feature("sse4.2", __SSE4_2__) feature("popcnt", __POPCNT__) feature("avx", __AVX__)                 \
            feature("avx2", __AVX2__) feature("fma", __FMA__) feature("bmi", __BMI__)                       \
                feature("bmi2", __BMI2__) feature("avx512f", __AVX512F__) feature("avx512cd", __AVX512CD__) \
                    feature("avx512dq", __AVX512DQ__) feature("avx512bw", __AVX512BW__)                     \
                        feature("avx512vl", __AVX512VL__) feature("avx512ifma", __AVX512IFMA__)             \
                            feature("avx512vbmi", __AVX512VBMI__) feature("avx512vbmi2", __AVX512VBMI2__)   \
                                feature("avx512vnni", __AVX512VNNI__)                                       \
                                    feature("avx512vpopcntdq", __AVX512VPOPCNTDQ__)                         \
                                        feature("gfni", __GFNI__)
