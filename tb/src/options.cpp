// SPDX-License-Identifier: Apache-2.0
// Names of options, and the check of their ranges.
#include "options.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

template <class T, std::size_t N>
T from_name(std::string_view what, std::string_view name,
            const std::array<std::pair<std::string_view, T>, N>& names) {
    std::string accepted;
    for (const auto& [known, value] : names) {
        if (known == name) return value;
        accepted += fmt::format("{}\"{}\"", accepted.empty() ? "" : ", ", known);
    }
    throw InputError(fmt::format("unknown {} \"{}\"; accepted are {}", what, name, accepted));
}

void require(bool condition, const std::string& message) {
    if (!condition) throw InputError(message);
}

}  // namespace

Filling filling_from_name(std::string_view name) {
    return from_name<Filling, 3>("filling", name,
                                 {{{"fermi", Filling::fermi},
                                   {"methfessel-paxton", Filling::methfessel_paxton},
                                   {"gaussian", Filling::gaussian}}});
}

Mixer mixer_from_name(std::string_view name) {
    return from_name<Mixer, 5>("mixer", name,
                               {{{"preconditioned", Mixer::preconditioned},
                                 {"anderson", Mixer::anderson},
                                 {"broyden", Mixer::broyden},
                                 {"diis", Mixer::diis},
                                 {"simple", Mixer::simple}}});
}

ThirdOrder third_order_from_name(std::string_view name) {
    return from_name<ThirdOrder, 3>(
        "third order", name,
        {{{"none", ThirdOrder::none}, {"diagonal", ThirdOrder::diagonal}, {"full", ThirdOrder::full}}});
}

Dispersion dispersion_from_name(std::string_view name) {
    return from_name<Dispersion, 4>("dispersion model", name,
                                    {{{"none", Dispersion::none},
                                      {"lj", Dispersion::lennard_jones},
                                      {"slater-kirkwood", Dispersion::slater_kirkwood},
                                      {"ts", Dispersion::tkatchenko_scheffler}}});
}

void check_options(const SccDftbOptions& o) {
    require(!o.parameters.empty(),
            "no folder of Slater-Koster files: give at least one in calculator.parameters");
    for (const auto& folder : o.parameters)
        if (!std::filesystem::is_directory(folder))
            throw FileError(fmt::format("{}: no such folder of Slater-Koster files", folder.string()));
    require(
        std::isfinite(o.electronic_temperature) && o.electronic_temperature >= 0 &&
            o.electronic_temperature < 1,
        fmt::format("electronic temperature of kT = {} hartree is outside 0..1", o.electronic_temperature));
    require(std::isfinite(o.charge), "the charge is not a finite number");
    for (const int n : o.kpoints.divisions)
        require(n >= 1 && n <= 1000, fmt::format("k-point divisions must be between 1 and 1000, not {}", n));
    require(o.scc.tolerance > 0 && o.scc.tolerance < 1,
            fmt::format("scc.tolerance {} e is outside 0..1", o.scc.tolerance));
    require(o.scc.energy_tolerance > 0,
            fmt::format("scc.energy_tolerance {} hartree is not positive", o.scc.energy_tolerance));
    require(o.scc.cycles_per_step >= 0 && o.scc.cycles_per_step <= 2,
            fmt::format("scc.cycles_per_step {} is none of 0, 1, 2", o.scc.cycles_per_step));
    require(o.scc.enabled || o.scc.cycles_per_step == 0,
            "scc.cycles_per_step needs self-consistent charges (scc.enabled)");
    require(o.scc.max_iterations >= 1, fmt::format("scc.max_iterations {} is below 1", o.scc.max_iterations));
    require(o.scc.mixing >= 0 && o.scc.mixing <= 2,
            fmt::format("scc.mixing {} is outside 0..2", o.scc.mixing));
    require(o.memory_limit >= 0, fmt::format("memory limit {} is negative", o.memory_limit));
    require(o.threads >= 0, fmt::format("threads {} is negative", o.threads));
    for (const auto& [z, l] : o.max_angular_momentum)
        require(l >= 0 && l <= 3, fmt::format("max_angular_momentum of {} is {}, expected 0 (s) to 3 (f)",
                                              element_symbol(z), l));
    if (!o.spin.polarized)
        require(!o.spin.unpaired, "spin.unpaired is given but spin.polarized is false");
    else if (o.spin.unpaired)
        require(std::isfinite(*o.spin.unpaired), "spin.unpaired is not a finite number");
    require(o.spin.polarized || o.spin.initial_moments.size() == 0,
            "spin.initial_moments are given but spin.polarized is false");
    require(o.spin.initial_moments.allFinite(),
            "spin.initial_moments hold a value that is not a finite number");
    for (const auto& [z, w] : o.spin.constants)
        require(w.rows() == w.cols() && w.allFinite() && (w - w.transpose()).isZero(1e-9),
                fmt::format("spin.constants of {} are not a symmetric matrix of numbers", element_symbol(z)));
    if (o.third_order.mode != ThirdOrder::none && !o.scc.enabled)
        throw InputError("third_order needs scc.enabled = true");
    if (o.spin.polarized && !o.scc.enabled) throw InputError("spin.polarized needs scc.enabled = true");
    if (o.third_order.mode != ThirdOrder::none && o.scc.shell_resolved)
        throw UnsupportedError("third_order together with scc.shell_resolved is not available");
    if (o.third_order.damping_exponent)
        require(*o.third_order.damping_exponent > 0, "third_order.damping_exponent must be positive");
    if (o.dispersion == Dispersion::tkatchenko_scheffler && !o.scc.enabled)
        throw InputError("dispersion.model \"ts\" needs scc.enabled = true: it depends on the populations");
    require(o.ts_scaling > 0 && o.ts_scaling < 10,
            fmt::format("dispersion.ts_scaling {} is outside 0..10", o.ts_scaling));
    for (const PointCharge& p : o.external.point_charges)
        require(p.position.allFinite() && std::isfinite(p.charge),
                "external.point_charges hold a value that is not a finite number");
    require(o.external.field.allFinite(), "external.field is not three finite numbers");
}

}  // namespace stembridge::tb
