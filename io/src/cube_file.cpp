// SPDX-License-Identifier: Apache-2.0
// Gaussian cube files.
#include "stembridge/io/cube_file.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <vector>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::io {
namespace {

constexpr int values_per_line = 6;
constexpr double most_points = 1e9;

std::string one_line(std::string text) {
    for (char& c : text)
        if (c == '\n' || c == '\r') c = ' ';
    return text;
}

/// Words of a text with the lines they stand in.
class Words {
  public:
    Words(std::string file, std::string_view text) : file_(std::move(file)), rest_(text) {}

    std::string line() {
        if (rest_.empty()) fail("the file ends in its header");
        const auto end = rest_.find('\n');
        std::string text(rest_.substr(0, end));
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        ++line_;
        if (text.ends_with('\r')) text.pop_back();
        return text;
    }

    double number(const std::string& what) {
        std::size_t at = 0;
        while (at < rest_.size() &&
               (rest_[at] == ' ' || rest_[at] == '\t' || rest_[at] == '\r' || rest_[at] == '\n'))
            line_ += rest_[at++] == '\n' ? 1 : 0;
        rest_.remove_prefix(at);
        const auto word = rest_.substr(0, rest_.find_first_of(" \t\r\n"));
        if (word.empty()) fail(fmt::format("the file ends where {} should follow", what));
        std::string plain(word.starts_with('+') ? word.substr(1) : word);
        for (char& c : plain)
            if (c == 'D' || c == 'd') c = 'e';
        double value = 0;
        const auto parsed = std::from_chars(plain.data(), plain.data() + plain.size(), value);
        if (parsed.ec == std::errc::result_out_of_range && std::abs(std::atof(plain.c_str())) < 1)
            value = 0;  // too small for a double
        else if (parsed.ec != std::errc{} || parsed.ptr != plain.data() + plain.size() ||
                 !std::isfinite(value))
            fail(fmt::format("'{}' is not a finite number ({})", word, what));
        rest_.remove_prefix(word.size());
        return value;
    }

    int integer(const std::string& what, int most) {
        const double value = number(what);
        if (value != std::floor(value) || std::abs(value) > most)
            fail(fmt::format("{} is no {}; expected a whole number up to {}", value, what, most));
        return static_cast<int>(value);
    }

    Eigen::Vector3d vector(const std::string& what) {
        Eigen::Vector3d v;
        for (double& x : v) x = number(what);
        return v;
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw FileError(fmt::format("{}:{}: {}", file_, line_ + 1, what));
    }

  private:
    std::string file_;
    std::string_view rest_;
    int line_ = 0;
};

}  // namespace

void write_cube(const std::filesystem::path& path, const Cube& cube, const Eigen::VectorXd& charges) {
    const Grid& grid = cube.grid;
    if (cube.values.size() != grid.size() || (charges.size() != 0 && charges.size() != cube.structure.size()))
        throw InputError(fmt::format("{}: {} values for {} points, {} charges for {} atoms", path.string(),
                                     cube.values.size(), grid.size(), charges.size(), cube.structure.size()));
    if (!cube.values.allFinite())
        throw InputError(fmt::format("{}: values that are not finite numbers", path.string()));
    fmt::memory_buffer out;
    const auto to = std::back_inserter(out);
    for (const std::string& comment : cube.comments) fmt::format_to(to, "{}\n", one_line(comment));
    const auto row = [&](int n, const Eigen::Vector3d& v) {
        fmt::format_to(to, "{:5d}{:12.6f}{:12.6f}{:12.6f}\n", n, v(0), v(1), v(2));
    };
    row(cube.structure.size(), grid.origin);
    for (int i = 0; i < 3; ++i) row(grid.points[static_cast<std::size_t>(i)], grid.steps.col(i));
    for (int atom = 0; atom < cube.structure.size(); ++atom) {
        const int z = cube.structure.atomic_numbers[static_cast<std::size_t>(atom)];
        const Eigen::Vector3d r = cube.structure.positions.col(atom);
        fmt::format_to(to, "{:5d}{:12.6f}{:12.6f}{:12.6f}{:12.6f}\n", z,
                       charges.size() != 0 ? charges(atom) : static_cast<double>(z), r(0), r(1), r(2));
    }
    Eigen::Index at = 0;
    for (int line = 0; line < grid.points[0] * grid.points[1]; ++line)
        for (int k = 0; k < grid.points[2]; ++k) {
            const double value = cube.values(at++);
            // Exponents of three digits would run into their neighbours.
            fmt::format_to(to, "{:13.5E}", std::abs(value) < 1e-99 ? 0.0 : value);
            if (k % values_per_line == values_per_line - 1 || k == grid.points[2] - 1) out.push_back('\n');
        }
    write_text_atomically(path, {out.data(), out.size()});
}

Cube read_cube(const std::filesystem::path& path) {
    const std::string text = read_text(path);
    Words words(path.string(), text);
    Cube cube;
    for (std::string& comment : cube.comments) comment = words.line();
    constexpr int most_atoms = 10'000'000, most_along = 1'000'000;
    const int n_atoms = words.integer("number of atoms", most_atoms);
    cube.grid.origin = words.vector("the origin");
    double unit = 1, n_points = 1;
    for (int i = 0; i < 3; ++i) {
        int& n = cube.grid.points[static_cast<std::size_t>(i)];
        n = words.integer("number of points", most_along);
        if (n == 0) words.fail("0 points along an axis; at least one is needed");
        if (n < 0) unit = units::angstrom;
        n = std::abs(n);
        n_points *= n;
        cube.grid.steps.col(i) = words.vector("a step of the grid");
    }
    if (n_points > most_points) words.fail(fmt::format("{} points are more than {}", n_points, most_points));
    cube.grid.origin *= unit;
    cube.grid.steps *= unit;
    for (int atom = 0; atom < std::abs(n_atoms); ++atom) {
        const int z = words.integer("atomic number", 200);
        words.number("a nuclear charge");
        try {
            element_symbol(z);
        } catch (const InputError& e) {
            words.fail(e.what());
        }
        cube.structure.add(z, unit * words.vector("a position"));
    }
    if (n_atoms < 0) {
        const int n_orbitals = words.integer("number of orbitals", most_along);
        if (n_orbitals != 1) words.fail(fmt::format("{} orbitals in one file; one is accepted", n_orbitals));
        words.integer("number of the orbital", most_along);
    }
    // Every value takes two characters at least.
    if (n_points > 0.5 * static_cast<double>(text.size()) + 1)
        words.fail(fmt::format("the file is too short for {} points", n_points));
    cube.values.resize(cube.grid.size());
    for (double& value : cube.values) value = words.number("a value of the grid");
    return cube;
}

}  // namespace stembridge::io
