// SPDX-License-Identifier: Apache-2.0
// Slater-Koster files (.skf): two-centre integrals, one-centre data and repulsive energy of one pair of
// elements.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stembridge::tb {

/// One-centre data of a shell of the free atom, hartree and electrons.
struct SkfShell {
    double onsite_energy = 0;
    double hubbard = 0;
    double occupation = 0;
};

/// Short-range pair energy of a Slater-Koster file: a spline, or a polynomial where there is no spline.
class SkfRepulsive {
  public:
    /// c[0] + c[1] (r - begin) + ... + c[5] (r - begin)^5 between begin and end, bohr and hartree.
    struct Interval {
        double begin = 0, end = 0;
        std::array<double, 6> c{};
    };

    SkfRepulsive() = default;
    /// Sum of c_i (cutoff - r)^i, i = 2..9, below the cutoff.
    static SkfRepulsive polynomial(double cutoff, const std::array<double, 8>& coefficients);
    /// exp(-a1 r + a2) + a3 below the first interval, then the intervals, which must follow each other.
    static SkfRepulsive spline(const std::array<double, 3>& head, std::vector<Interval> intervals);
    /// None is known: atoms of this pair must stay farther apart than `below`.
    static SkfRepulsive missing(double below);

    /// Energy (hartree), its first and second derivative with respect to r (bohr).
    std::array<double, 3> evaluate(double r) const;
    double cutoff() const { return cutoff_; }
    bool is_spline() const { return !intervals_.empty(); }
    bool is_zero() const { return cutoff_ == 0; }
    /// Distance below which the energy is not known, bohr; 0 for complete sets.
    double missing_below() const { return missing_below_; }
    const std::array<double, 3>& head() const { return head_; }
    const std::vector<Interval>& intervals() const { return intervals_; }

  private:
    double cutoff_ = 0;
    double missing_below_ = 0;
    std::array<double, 8> polynomial_{};
    std::array<double, 3> head_{};
    std::vector<Interval> intervals_;
};

/// Content of one Slater-Koster file, hartree and bohr.
class SkfTable {
  public:
    static constexpr int max_l = 3;
    static constexpr int n_integrals = 20;
    /// Column of the integral (l1 l2 m), l1 <= l2 <= 3, m <= l1, in the order ss0 sp0 sd0 sf0 pp0 pp1 pd0 ...
    static int column(int l1, int l2, int m);

    /// Value in grid row 1, 2, ...; row k belongs to the distance k * spacing. The first atom of the file
    /// name carries l1, and the second lies in the direction of +z from it.
    double hamiltonian(int row, int l1, int l2, int m) const { return values[index(row, column(l1, l2, m))]; }
    double overlap(int row, int l1, int l2, int m) const {
        return values[index(row, n_integrals + column(l1, l2, m))];
    }
    double& hamiltonian(int row, int l1, int l2, int m) { return values[index(row, column(l1, l2, m))]; }
    double& overlap(int row, int l1, int l2, int m) {
        return values[index(row, n_integrals + column(l1, l2, m))];
    }
    /// Smallest distance from which on every row holds numbers: rows before it are padding with zeros.
    double first_distance() const;
    /// Distance of the last row.
    double last_distance() const { return n_rows * spacing; }

    bool extended = false;  ///< the format with f shells
    double spacing = 0;     ///< bohr
    int n_rows = 0;
    std::vector<double> values;                   ///< n_rows rows of 20 Hamiltonian and 20 overlap integrals
    std::optional<std::array<SkfShell, 4>> atom;  ///< by l; only in files of an element with itself
    double mass_dalton = 0;
    SkfRepulsive repulsive;

  private:
    static std::size_t index(int row, int column) {
        return static_cast<std::size_t>(row - 1) * (2 * n_integrals) + static_cast<std::size_t>(column);
    }
};

/// Reads a Slater-Koster file in the simple or the extended ("@") format; accepts Fortran shorthand
/// ("5*0.0"), commas, "D" exponents and text after the expected numbers.
/// @param homonuclear whether the file is of an element with itself and so carries one-centre data
/// @throw FileError with file and line for anything malformed, truncated or out of range
/// @source Slater-Koster file format description, dftb.org
SkfTable read_skf(const std::filesystem::path& file, bool homonuclear);

/// Where the files of all ordered pairs of some elements are.
/// @param folders searched in this order  @return path by (first, second) symbol
/// @throw FileError when a folder does not exist  @throw InputError naming all missing pairs at once
std::map<std::pair<std::string, std::string>, std::filesystem::path> find_skf(
    const std::vector<std::filesystem::path>& folders, const std::vector<std::string>& symbols);

}  // namespace stembridge::tb
