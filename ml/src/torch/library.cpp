// SPDX-License-Identifier: Apache-2.0
// The library's entry.
#include "inference.hpp"
#include "network_library.hpp"
#include "stembridge/base/errors.hpp"
#include "trainer.hpp"

#include <c10/util/Exception.h>

namespace stembridge::ml {
namespace {

std::unique_ptr<SegmentationNetwork> open(const std::vector<State>& members,
                                          const InferenceOptions& options) {
    try {
        return open_members(members, options);
    } catch (const c10::Error& error) {
        throw BackendError(std::string("LibTorch: ") + error.what_without_backtrace());
    }
}

State guarded_train(const TrainingOptions& options, const Context& context, const TrainingObserver& observer,
                    const TrainingStart& start) {
    try {
        return train(options, context, observer, start);
    } catch (const c10::Error& error) {
        throw BackendError(std::string("LibTorch: ") + error.what_without_backtrace());
    }
}

}  // namespace
}  // namespace stembridge::ml

extern "C" __attribute__((visibility("default"))) const stembridge::ml::NetworkLibrary*
stembridge_network_library() {
    static const stembridge::ml::NetworkLibrary library{
        stembridge::ml::network_library_version, &stembridge::ml::open, &stembridge::ml::guarded_train};
    return &library;
}
