// SPDX-License-Identifier: Apache-2.0
// Finds and opens the library with the networks.
#include "stembridge/ml/network.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <omp.h>

#include <cstdlib>
#include <filesystem>

#include "network_library.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/program_path.hpp"

namespace stembridge::ml {
namespace {

namespace fs = std::filesystem;

/// LibTorch sets the number of OpenMP threads when it is loaded and when it is first used; the rest of the
/// program keeps its own.
class KeepThreads {
  public:
    KeepThreads() = default;
    ~KeepThreads() { omp_set_num_threads(before_); }
    KeepThreads(const KeepThreads&) = delete;
    KeepThreads& operator=(const KeepThreads&) = delete;

  private:
    int before_ = omp_get_max_threads();
};

const NetworkLibrary* find_library(std::string& why_not) {
    const fs::path file = network_library_path();
    std::error_code error;
    if (!fs::exists(file, error)) {
        why_not = fmt::format("{}: absent", file.string());
        return nullptr;
    }
    const KeepThreads keep;
    void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        why_not = ::dlerror();
        return nullptr;
    }
    using Entry = const NetworkLibrary* (*)();
    const auto entry = reinterpret_cast<Entry>(::dlsym(handle, network_library_symbol));
    const NetworkLibrary* library = entry == nullptr ? nullptr : entry();
    if (library != nullptr && library->version == network_library_version) return library;
    why_not = fmt::format("{}: belongs to another version of the program", file.string());
    ::dlclose(handle);
    return nullptr;
}

std::string missing(const std::string& why_not) {
    return fmt::format(
        "networks need {}, which is built with the CMake option STEMBRIDGE_LIBTORCH=ON "
        "(Debian: libtorch-dev). Looked at: {}",
        network_library_file, why_not);
}

const NetworkLibrary& library() {
    std::string why_not;
    const NetworkLibrary* found = find_library(why_not);
    if (found == nullptr) throw BackendError(missing(why_not) + ". The classical detector works without.");
    return *found;
}

}  // namespace

std::int64_t NetworkShape::parameters() const {
    const std::int64_t f = filters;
    // A layer: 3 x 3 convolution with bias, batch norm with two parameters per channel.
    const auto block = [](std::int64_t in, std::int64_t out, int layers) {
        const auto layer = [&](std::int64_t from) { return 9 * from * out + out + 2 * out; };
        return layer(in) + (layers - 1) * layer(out);
    };
    // Halving the channels on the way up: 1 x 1 convolution.
    const auto halve = [](std::int64_t in) { return in * (in / 2) + in / 2; };
    return block(1, f, layers[0]) + block(f, 2 * f, layers[1]) + block(2 * f, 4 * f, layers[2]) +
           block(4 * f, 8 * f, layers[3]) + halve(8 * f) + block(8 * f, 4 * f, layers[4]) + halve(4 * f) +
           block(4 * f, 2 * f, layers[5]) + halve(2 * f) + block(2 * f, f, layers[6]) + f * classes + classes;
}

int NetworkShape::reach_px() const {
    // A convolution at depth d reaches 2^d pixels; a pooled pixel hides up to 2^d - 1; the way up looks at
    // one coarse pixel more.
    int reach = 0;
    for (int block = 0; block < 7; ++block)
        reach += layers[static_cast<std::size_t>(block)] << (3 - std::abs(block - 3));
    reach += (1 + 2 + 4) + (2 + 4 + 8);
    return (reach + 7) / 8 * 8;
}

fs::path network_library_path() {
    if (const char* folder = std::getenv("STEMBRIDGE_LIBRARY_PATH"))
        return fs::path(folder) / network_library_file;
    const fs::path part = fs::path("lib/stembridge") / network_library_file;
    const fs::path found = find_installed(part);
    return found.empty() ? part : found;
}

std::string why_no_networks() {
    std::string why_not;
    return find_library(why_not) != nullptr ? "" : missing(why_not);
}

bool networks_available() {
    return why_no_networks().empty();
}

std::unique_ptr<SegmentationNetwork> open_network(const std::vector<State>& members, const Context&,
                                                  const InferenceOptions& options) {
    if (options.threads < 1) throw InputError("networks: 'threads' must be at least 1");
    if (options.memory_bytes < 1) throw InputError("networks: 'memory' must be positive");
    if (members.empty()) throw InputError("networks: no weights were given");
    const KeepThreads keep;
    return library().open(members, options);
}

State train_network(const TrainingOptions& options, const Context& context, const TrainingObserver& observer,
                    const TrainingStart& start) {
    const auto require = [](bool good, const char* key, const char* accepted) {
        if (!good) throw InputError(fmt::format("training: '{}' must be {}", key, accepted));
    };
    require(options.shape.filters >= 1 && options.shape.filters <= 256, "filters", "between 1 and 256");
    for (const int n : options.shape.layers)
        require(n >= 1 && n <= 16, "layers", "seven numbers between 1 and 16");
    require(options.shape.classes == 3, "classes", "3 (C, Si, background)");
    require(options.crop_px >= 16 && options.crop_px % 8 == 0, "crop", "a multiple of 8, at least 16");
    require(options.batch >= 1, "batch", "at least 1");
    require(options.steps >= 1, "steps", "at least 1");
    require(options.threads >= 1, "threads", "at least 1");
    require(options.learning_rate > 0, "learning_rate", "positive");
    require(options.averaging_share >= 0 && options.averaging_share < 1, "averaging_share", "in [0, 1)");
    require(options.pixel_size_angstrom > 0.02 && options.pixel_size_angstrom < 0.5, "pixel_size",
            "between 0.02 and 0.5 angstrom");
    require(options.source_pixel_angstrom[0] > 0.02 &&
                options.source_pixel_angstrom[1] >= options.source_pixel_angstrom[0],
            "source_pixel", "two rising lengths above 0.02 angstrom");
    const auto& a = options.augmentation;
    require(a.zoom[0] > 0.5 && a.zoom[1] >= a.zoom[0] && a.zoom[1] < 2, "augment.zoom",
            "two rising factors in (0.5, 2)");
    require(a.gamma[0] > 0 && a.gamma[1] >= a.gamma[0], "augment.gamma", "two rising positive exponents");
    require(a.fewest_counts > 0, "augment.fewest_counts", "positive");
    require(options.distinct_crops >= 0 && options.patience >= 0, "distinct_crops, patience", "at least 0");
    require(options.swag_rank == 0 || (options.swag_rank >= 2 && options.averaging_share > 0), "swag.rank",
            "0, or at least 2 with a positive averaging_share");
    require(options.swag_rank == 0 || options.patience == 0, "patience",
            "0 with a swag.rank: networks are drawn from weights at the end of the whole schedule");
    require(options.swag_draws >= 1, "swag.draws", "at least 1");
    require(options.experimental_share >= 0 && options.experimental_share <= 1, "experimental_share",
            "in [0, 1]");
    require(options.report_every >= 1 && options.checkpoint_every >= 1, "report_every, checkpoint_every",
            "at least 1");
    const KeepThreads keep;
    return library().train(options, context, observer, start);
}

}  // namespace stembridge::ml
