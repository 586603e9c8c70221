// SPDX-License-Identifier: Apache-2.0
#include "functional.hpp"

#include <fmt/format.h>
#include <xc.h>

#include <algorithm>

#include "stembridge/base/errors.hpp"

namespace stembridge::dft {
namespace {

/// Densities below this (1/bohr^3) count as nothing.
constexpr double smallest_density = 1e-14;

struct Release {
    void operator()(xc_func_type* functional) const {
        xc_func_end(functional);
        xc_func_free(functional);
    }
};

std::vector<std::string> part_names(const std::string& name) {
    if (name == "lda") return {"lda_x", "lda_c_pw"};
    if (name == "pbe") return {"gga_x_pbe", "gga_c_pbe"};
    std::vector<std::string> names;
    std::size_t begin = 0;
    while (begin <= name.size()) {
        const std::size_t end = std::min(name.find('+', begin), name.size());
        names.push_back(name.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

}  // namespace

struct Functional::Part {
    std::unique_ptr<xc_func_type, Release> handle;
    bool gga = false;
};

Functional::Functional(const std::string& name, bool polarized) : polarized_(polarized) {
    for (const std::string& part_name : part_names(name)) {
        const int number = part_name.empty() ? -1 : xc_functional_get_number(part_name.c_str());
        const std::string accepted =
            "accepted are lda, pbe, or names of LDA and GGA functionals of libxc joined by '+', such as "
            "gga_x_b88+gga_c_lyp";
        if (number <= 0)
            throw InputError(
                fmt::format("functional '{}': libxc knows no '{}'; {}", name, part_name, accepted));
        xc_func_type* raw = xc_func_alloc();
        if (xc_func_init(raw, number, polarized ? XC_POLARIZED : XC_UNPOLARIZED) != 0) {
            xc_func_free(raw);
            throw InputError(fmt::format("functional '{}': libxc cannot start '{}'", name, part_name));
        }
        Part part{std::unique_ptr<xc_func_type, Release>(raw), raw->info->family == XC_FAMILY_GGA};
        if (raw->info->family != XC_FAMILY_GGA && raw->info->family != XC_FAMILY_LDA)
            throw InputError(
                fmt::format("functional '{}': '{}' is neither LDA nor GGA; {}", name, part_name, accepted));
        xc_func_set_dens_threshold(raw, smallest_density);
        parts_.push_back(std::move(part));
    }
}

Functional::~Functional() = default;
Functional::Functional(Functional&&) noexcept = default;
Functional& Functional::operator=(Functional&&) noexcept = default;

bool Functional::is_gga() const {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& p) { return p.gga; });
}

void Functional::evaluate(std::size_t points, const double* rho, const double* sigma, double* energy,
                          double* v_rho, double* v_sigma) const {
    const std::size_t n_rho = polarized_ ? 2 : 1, n_sigma = polarized_ ? 3 : 1;
    std::fill_n(energy, points, 0.0);
    std::fill_n(v_rho, points * n_rho, 0.0);
    std::fill_n(v_sigma, points * n_sigma, 0.0);
    std::vector<double> e(points), vr(points * n_rho), vs(points * n_sigma);
    for (const Part& part : parts_) {
        if (part.gga)
            xc_gga_exc_vxc(part.handle.get(), points, rho, sigma, e.data(), vr.data(), vs.data());
        else
            xc_lda_exc_vxc(part.handle.get(), points, rho, e.data(), vr.data());
        for (std::size_t i = 0; i < points; ++i)  // libxc gives the energy per electron
            energy[i] += e[i] * (polarized_ ? rho[2 * i] + rho[2 * i + 1] : rho[i]);
        for (std::size_t i = 0; i < vr.size(); ++i) v_rho[i] += vr[i];
        if (part.gga)
            for (std::size_t i = 0; i < vs.size(); ++i) v_sigma[i] += vs[i];
    }
}

}  // namespace stembridge::dft
