// SPDX-License-Identifier: Apache-2.0
// Reading of Slater-Koster files, line by line, with the place of every mistake.
#include "stembridge/tb/tables/skf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace fs = std::filesystem;

SkfRepulsive SkfRepulsive::polynomial(double cutoff, const std::array<double, 8>& coefficients) {
    SkfRepulsive result;
    const bool zero = std::all_of(coefficients.begin(), coefficients.end(), [](double c) { return c == 0; });
    result.cutoff_ = zero ? 0 : cutoff;
    result.polynomial_ = coefficients;
    return result;
}

SkfRepulsive SkfRepulsive::spline(const std::array<double, 3>& head, std::vector<Interval> intervals) {
    SkfRepulsive result;
    result.cutoff_ = intervals.empty() ? 0 : intervals.back().end;
    result.head_ = head;
    result.intervals_ = std::move(intervals);
    return result;
}

SkfRepulsive SkfRepulsive::missing(double below) {
    SkfRepulsive result;
    result.missing_below_ = below;
    return result;
}

std::array<double, 3> SkfRepulsive::evaluate(double r) const {
    if (r >= cutoff_) return {0, 0, 0};
    if (intervals_.empty()) {
        // sum_i c_i (r_cut - r)^i, i = 2..9
        const double x = cutoff_ - r;
        double value = 0, first = 0, second = 0;
        for (int k = 7; k >= 0; --k) {
            const int i = k + 2;
            const double power = std::pow(x, i - 2);
            value += polynomial_[static_cast<std::size_t>(k)] * power * x * x;
            first -= polynomial_[static_cast<std::size_t>(k)] * i * power * x;
            second += polynomial_[static_cast<std::size_t>(k)] * i * (i - 1) * power;
        }
        return {value, first, second};
    }
    if (r < intervals_.front().begin) {
        // exp(-a1 r + a2) + a3
        const auto [a1, a2, a3] = head_;
        const double e = std::exp(-a1 * r + a2);
        return {e + a3, -a1 * e, a1 * a1 * e};
    }
    const auto after =
        std::upper_bound(intervals_.begin(), intervals_.end(), r,
                         [](double x, const Interval& interval) { return x < interval.begin; });
    const Interval& interval = *(after - 1);
    const double x = r - interval.begin;
    double value = 0, first = 0, second = 0;
    for (int i = 5; i >= 0; --i) {
        second = second * x + 2 * first;
        first = first * x + value;
        value = value * x + interval.c[static_cast<std::size_t>(i)];
    }
    return {value, first, second};
}

int SkfTable::column(int l1, int l2, int m) {
    // Number of integrals before (l1, l1, 0), then before (l1, l2, 0).
    constexpr std::array<int, 4> start = {0, 4, 10, 16};
    return start[static_cast<std::size_t>(l1)] + (l2 - l1) * (l1 + 1) + m;
}

double SkfTable::first_distance() const {
    for (int row = 1; row <= n_rows; ++row)
        for (int m = 0; m <= 1; ++m)
            for (int l1 = 0; l1 <= max_l; ++l1)
                for (int l2 = l1; l2 <= max_l; ++l2)
                    if (m <= l1) {
                        const double h = hamiltonian(row, l1, l2, m), s = overlap(row, l1, l2, m);
                        const bool padding = h == s && (h == 0 || h == 1);
                        if (!padding) return row * spacing;
                    }
    return n_rows * spacing;
}

namespace {

/// Lines of a file with their numbers, and the errors that name them.
class Lines {
  public:
    explicit Lines(const fs::path& file) : file_(file), stream_(file) {
        if (!stream_)
            throw FileError(
                fmt::format("{}: cannot be read; expected a Slater-Koster file (.skf)", file.string()));
    }

    bool next() {
        if (!std::getline(stream_, line_)) return false;
        ++number_;
        return true;
    }

    /// The next line. @param what for the message when the file ends here
    const std::string& require(const std::string& what) {
        if (!next())
            throw FileError(fmt::format("{}:{}: the file ends where {} should follow", file_.string(),
                                        number_ + 1, what));
        return line_;
    }

    const std::string& text() const { return line_; }

    [[noreturn]] void fail(const std::string& what) const {
        throw FileError(fmt::format("{}:{}: {}", file_.string(), number_, what));
    }

    /// The first `count` numbers of the current line; what follows them is ignored.
    std::vector<double> numbers(std::size_t count, const std::string& what) const {
        std::vector<double> result;
        std::string_view rest = line_;
        while (result.size() < count) {
            const auto begin = rest.find_first_not_of(" \t\r,");
            if (begin == std::string_view::npos)
                fail(fmt::format("{} numbers expected for {}, found {}", count, what, result.size()));
            rest.remove_prefix(begin);
            const std::string_view token = rest.substr(0, rest.find_first_of(" \t\r,"));
            rest.remove_prefix(token.size());
            append(token, what, result);
        }
        result.resize(count);
        return result;
    }

  private:
    /// "x" or "n*x".
    void append(std::string_view token, const std::string& what, std::vector<double>& result) const {
        std::size_t repeat = 1;
        std::string_view value = token;
        if (const auto star = token.find('*'); star != std::string_view::npos) {
            const auto parsed = std::from_chars(token.data(), token.data() + star, repeat);
            if (parsed.ec != std::errc{} || parsed.ptr != token.data() + star || repeat == 0 || repeat > 1000)
                fail(fmt::format("'{}' is no repetition such as 5*0.0 ({})", token, what));
            value = token.substr(star + 1);
        }
        result.insert(result.end(), repeat, number(value, token, what));
    }

    double number(std::string_view value, std::string_view token, const std::string& what) const {
        std::string plain(value.starts_with('+') ? value.substr(1) : value);
        for (char& c : plain)
            if (c == 'd' || c == 'D') c = 'e';
        double result = 0;
        const auto parsed = std::from_chars(plain.data(), plain.data() + plain.size(), result);
        if (plain.empty() || parsed.ec != std::errc{} || parsed.ptr != plain.data() + plain.size() ||
            !std::isfinite(result))
            fail(fmt::format("'{}' is not a finite number ({})", token, what));
        return result;
    }

    fs::path file_;
    std::ifstream stream_;
    std::string line_;
    long number_ = 0;
};

int grid_points(const Lines& lines, double n) {
    if (n != std::floor(n) || n < 10 || n > 1e6)
        lines.fail(fmt::format("{} is no number of grid points; expected 10 to 1000000", n));
    return static_cast<int>(n);
}

std::array<SkfShell, 4> read_atom(Lines& lines, int l_max) {
    const auto shells = static_cast<std::size_t>(l_max) + 1;
    lines.require("the one-centre data");
    const std::vector<double> v =
        lines.numbers(3 * shells + 1, "on-site energies, spin energy, Hubbard parameters and occupations");
    std::array<SkfShell, 4> atom;
    for (std::size_t k = 0; k < shells; ++k) {
        const std::size_t l = shells - 1 - k;  // highest first in the file
        atom[l] = {v[k], v[shells + 1 + k], v[2 * shells + 1 + k]};
        const double full = 2.0 * (2.0 * static_cast<double>(l) + 1);
        if (atom[l].occupation < 0 || atom[l].occupation > full)
            lines.fail(fmt::format("occupation {} of the shell with l = {} is outside 0..{}",
                                   atom[l].occupation, l, full));
        if (atom[l].hubbard < 0 || atom[l].hubbard > 10)
            lines.fail(fmt::format("Hubbard parameter {} of the shell with l = {} is outside 0..10 hartree",
                                   atom[l].hubbard, l));
        if (std::abs(atom[l].onsite_energy) > 100)
            lines.fail(fmt::format("on-site energy {} hartree of the shell with l = {} is beyond all reason",
                                   atom[l].onsite_energy, l));
    }
    return atom;
}

void read_integrals(Lines& lines, int l_max, SkfTable& table) {
    const int per_kind = l_max == 3 ? 20 : 10;
    table.values.assign(static_cast<std::size_t>(table.n_rows) * 2 * SkfTable::n_integrals, 0.0);
    for (int row = 1; row <= table.n_rows; ++row) {
        lines.require(fmt::format("integral row {} of {}", row, table.n_rows));
        const std::vector<double> v =
            lines.numbers(static_cast<std::size_t>(2 * per_kind), "an integral row");
        std::size_t k = 0;
        for (int l1 = l_max; l1 >= 0; --l1)
            for (int l2 = l_max; l2 >= l1; --l2)
                for (int m = 0; m <= l1; ++m, ++k) {
                    table.hamiltonian(row, l1, l2, m) = v[k];
                    table.overlap(row, l1, l2, m) = v[k + static_cast<std::size_t>(per_kind)];
                    if (std::abs(v[k]) > 1e3 || std::abs(v[k + static_cast<std::size_t>(per_kind)]) > 2)
                        lines.fail("an integral is beyond all reason: |H| > 1000 hartree or |S| > 2");
                }
    }
}

SkfRepulsive read_spline(Lines& lines) {
    lines.require("the number of spline intervals and the cut-off");
    const std::vector<double> size = lines.numbers(2, "number of intervals and cut-off");
    if (size[0] != std::floor(size[0]) || size[0] < 1 || size[0] > 1e5)
        lines.fail(fmt::format("{} is no number of spline intervals", size[0]));
    const auto n = static_cast<std::size_t>(size[0]);
    lines.require("the exponential head of the spline");
    const std::vector<double> head = lines.numbers(3, "the exponential head a1 a2 a3");
    std::vector<SkfRepulsive::Interval> intervals(n);
    for (std::size_t k = 0; k < n; ++k) {
        lines.require(fmt::format("spline interval {} of {}", k + 1, n));
        const std::size_t order = k + 1 == n ? 6 : 4;
        const std::vector<double> v = lines.numbers(2 + order, "a spline interval");
        intervals[k].begin = v[0];
        intervals[k].end = v[1];
        std::copy(v.begin() + 2, v.end(), intervals[k].c.begin());
        if (v[0] < 0 || v[1] <= v[0])
            lines.fail(fmt::format("spline interval from {} to {} bohr: the end must lie after the begin",
                                   v[0], v[1]));
        if (k > 0 && std::abs(v[0] - intervals[k - 1].end) > 1e-6)
            lines.fail(fmt::format("spline interval begins at {} bohr but the one before ends at {}", v[0],
                                   intervals[k - 1].end));
    }
    if (std::abs(intervals.back().end - size[1]) > 1e-6)
        lines.fail(fmt::format("the last spline interval ends at {} bohr, the cut-off is {}",
                               intervals.back().end, size[1]));
    return SkfRepulsive::spline({head[0], head[1], head[2]}, std::move(intervals));
}

bool begins_with(const std::string& line, std::string_view word) {
    const auto begin = line.find_first_not_of(" \t");
    return begin != std::string::npos && std::string_view(line).substr(begin).starts_with(word);
}

}  // namespace

SkfTable read_skf(const fs::path& file, bool homonuclear) {
    Lines lines(file);
    SkfTable table;
    if (begins_with(lines.require("the grid"), "@")) {
        table.extended = true;
        lines.require("the grid");
    }
    const int l_max = table.extended ? 3 : 2;
    const std::vector<double> grid = lines.numbers(2, "grid spacing and number of grid points");
    table.spacing = grid[0];
    if (!(table.spacing > 0 && table.spacing <= 1))
        lines.fail(fmt::format("grid spacing {} bohr is outside 0..1", table.spacing));
    // The number of grid points counts R = 0, for which there is no row.
    table.n_rows = grid_points(lines, grid[1]) - 1;

    if (homonuclear) table.atom = read_atom(lines, l_max);
    lines.require("mass and polynomial repulsive");
    const std::vector<double> polynomial =
        lines.numbers(10, "mass, c2..c9 and the cut-off of the polynomial");
    table.mass_dalton = polynomial[0];
    std::array<double, 8> coefficients{};
    std::copy(polynomial.begin() + 1, polynomial.begin() + 9, coefficients.begin());
    if (polynomial[9] < 0)
        lines.fail(fmt::format("the cut-off {} bohr of the polynomial repulsive is negative", polynomial[9]));
    table.repulsive = SkfRepulsive::polynomial(polynomial[9], coefficients);

    read_integrals(lines, l_max, table);
    bool documentation = false;
    while (lines.next()) {
        constexpr std::string_view missing = "<RepulsiveMissingBelow>";
        if (begins_with(lines.text(), missing)) {
            const std::string& text = lines.text();
            const double below = std::strtod(text.c_str() + text.find(missing) + missing.size(), nullptr);
            if (!(below > 0 && below < 100)) lines.fail("RepulsiveMissingBelow needs a distance in bohr");
            table.repulsive = SkfRepulsive::missing(below);
            break;
        }
        if (begins_with(lines.text(), "<")) documentation = true;
        if (documentation || !begins_with(lines.text(), "Spline")) continue;
        table.repulsive = read_spline(lines);
        break;
    }
    return table;
}

std::map<std::pair<std::string, std::string>, fs::path> find_skf(const std::vector<fs::path>& folders,
                                                                 const std::vector<std::string>& symbols) {
    std::string searched;
    for (const fs::path& folder : folders) {
        if (!fs::is_directory(folder))
            throw FileError(fmt::format("{}: no such folder of Slater-Koster files", folder.string()));
        searched += (searched.empty() ? "" : ", ") + folder.string();
    }
    std::map<std::pair<std::string, std::string>, fs::path> found;
    std::string missing;
    for (const std::string& a : symbols)
        for (const std::string& b : symbols) {
            const auto folder = std::find_if(folders.begin(), folders.end(), [&](const fs::path& f) {
                return fs::is_regular_file(f / fmt::format("{}-{}.skf", a, b));
            });
            if (folder != folders.end())
                found[{a, b}] = *folder / fmt::format("{}-{}.skf", a, b);
            else
                missing += fmt::format("{}{}-{}", missing.empty() ? "" : ", ", a, b);
        }
    if (!missing.empty())
        throw InputError(
            fmt::format("no Slater-Koster file for the pairs {}; searched in {}; name a folder (or "
                        "several) that holds PAIR.skf for every pair of elements",
                        missing, searched.empty() ? "no folder" : searched));
    return found;
}

}  // namespace stembridge::tb
