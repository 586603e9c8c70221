// SPDX-License-Identifier: Apache-2.0
// XDATCAR of VASP 4 to 6: a cell once or before each frame, frames behind "Direct configuration=" or a blank
// line.
#include <fmt/format.h>

#include <algorithm>

#include "structure/text.hpp"
#include "vasp/numbers.hpp"
#include "vasp/readers.hpp"

namespace stembridge::io {
namespace {

struct Header {
    Eigen::Matrix3d lattice;
    std::vector<std::string> species;  ///< one per atom, or none when the file names none
    int n_atoms = 0;
};

/// The part of a line before a symbol behind the numbers.
std::string_view without_label(std::string_view line) {
    for (std::size_t i = 1; i < line.size(); ++i) {
        const bool letter = (line[i] >= 'A' && line[i] <= 'Z') || (line[i] >= 'a' && line[i] <= 'z');
        if (letter && (line[i - 1] == ' ' || line[i - 1] == '\t')) return line.substr(0, i);
    }
    return line;
}

/// Digits behind the point of a number.
std::size_t decimals(std::string_view word) {
    const std::size_t point = word.rfind('.');
    return point == std::string_view::npos ? 0 : word.size() - point - 1;
}

bool begins_frame(std::string_view line) {
    const std::string start = lower_case(trimmed(line));
    return start.empty() || start.starts_with("direct") || start.starts_with("cartesian");
}

bool all_letters(const std::vector<std::string_view>& parts) {
    return !parts.empty() && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
        return (part[0] >= 'A' && part[0] <= 'Z') || (part[0] >= 'a' && part[0] <= 'z');
    });
}

class XdatcarReader {
  public:
    XdatcarReader(std::string_view text, VaspRun& run)
        : text_(text), lines_(text, run.file.string()), run_(run) {}

    void read() {
        std::optional<Header> header = read_header();
        if (!header) return cut();
        run_.species = header->species;
        run_.n_atoms = header->n_atoms;
        std::optional<int> last, stride;
        while (!lines_.only_blanks_follow()) {
            const LineReader here = lines_;
            const std::size_t begin = lines_.position();
            const std::string_view line = *lines_.next();
            if (!begins_frame(line)) {
                lines_ = here;
                header = read_header();
                if (!header) return cut();
                if (header->species != run_.species || header->n_atoms != *run_.n_atoms)
                    throw_damage(text_, begin, "the species change between frames");
                continue;
            }
            const bool cartesian = lower_case(trimmed(line)).starts_with('c');
            if (const std::size_t equals = line.find('='); equals != std::string_view::npos) {
                const auto number = leading_integer(line.substr(equals + 1));
                if (number && last && *number <= *last)
                    throw_damage(
                        text_, begin,
                        fmt::format("configuration {} follows {} (several runs or programs in one file?)",
                                    *number, *last));
                if (number && last) stride = *number - *last;
                last = number;
            }
            if (!read_frame(*header, cartesian)) return cut();
        }
        if (stride.value_or(1) > 1)
            run_.notes.push_back(
                fmt::format("frames are {} steps apart (NBLOCK); n_ionic_steps counts frames", *stride));
        if (run_.steps.empty()) return cut();
        run_.notes.emplace_back(
            "XDATCAR gives positions only, and does not tell whether the run ended or converged");
    }

  private:
    void cut() {
        run_.status = VaspStatus::unfinished;
        run_.notes.push_back(fmt::format("the file ends after {} complete frames", run_.steps.size()));
    }

    /// @return nothing when the file ends inside it
    std::optional<Header> read_header() {
        const std::size_t begin = lines_.position();
        std::array<std::string_view, 7> line;
        for (auto& text : line) {
            const auto next = lines_.next();
            if (!next) return std::nullopt;
            text = *next;
        }
        const auto scale = leading_number(line[1]);
        Header header;
        bool regular = scale.has_value() && *scale != 0;
        for (std::size_t k = 0; k < 3 && regular; ++k) {
            const auto vector = fortran_numbers(line[2 + k]);
            regular = vector && vector->size() == 3;
            if (regular)
                header.lattice.col(static_cast<Eigen::Index>(k)) =
                    Eigen::Map<const Eigen::Vector3d>(vector->data());
        }
        if (!regular || !header.lattice.allFinite())
            throw_damage(
                text_, begin,
                "no header with a scale and three lattice vectors (that of VASP 4.6 holds no cell and "
                "cannot be used)");
        const double determinant = std::abs(header.lattice.determinant());
        if (determinant < 1e-12) throw_damage(text_, begin, "the lattice vectors span no volume");
        header.lattice *= *scale > 0 ? *scale : std::cbrt(-*scale / determinant);

        // Symbols and counts may each take several lines.
        std::vector<std::string> symbols;
        std::vector<std::string_view> parts = words(line[5]);
        std::string_view pending = line[6];
        while (all_letters(parts)) {
            // VASP 6 writes names of POTCARs, "H_h/" or "C/" and a hash.
            for (const std::string_view part : parts)
                symbols.emplace_back(part.substr(0, part.find_first_of("_/")));
            parts = words(pending);
            if (!all_letters(parts)) break;
            const auto next = lines_.next();
            if (!next) return std::nullopt;
            pending = *next;
        }
        std::vector<std::size_t> counts;
        std::size_t n = 0;
        while (true) {
            for (const std::string_view part : parts) {
                const auto count = to_integer(part);
                // A file without frames may announce more atoms than it has bytes, but not many more.
                if (!count || *count < 0 || static_cast<std::size_t>(*count) + n > text_.size() + 10'000)
                    throw_damage(text_, begin, fmt::format("'{}' is not a number of atoms", part));
                counts.push_back(static_cast<std::size_t>(*count));
                n += counts.back();
            }
            if (counts.size() >= std::max<std::size_t>(symbols.size(), 1)) break;
            const auto next = lines_.next();
            if (!next) return std::nullopt;
            parts = words(*next);
        }
        if (n == 0) throw_damage(text_, begin, "the header names no atoms");
        if (!symbols.empty() && counts.size() != symbols.size())
            throw_damage(text_, begin,
                         fmt::format("{} species but {} counts", symbols.size(), counts.size()));
        for (std::size_t k = 0; k < symbols.size(); ++k)
            header.species.insert(header.species.end(), counts[k], symbols[k]);
        header.n_atoms = static_cast<int>(n);
        return header;
    }

    /// @return false when the file ends inside it
    bool read_frame(const Header& header, bool cartesian) {
        if (static_cast<std::size_t>(header.n_atoms) > lines_.bytes_left() / 5 + 1) return false;
        VaspStep step;
        step.lattice_angstrom = header.lattice;
        Eigen::Matrix3Xd x(3, header.n_atoms);
        for (Eigen::Index atom = 0; atom < x.cols(); ++atom) {
            const std::size_t begin = lines_.position();
            const auto line = lines_.next();
            if (!line) return false;
            const std::string_view text = trimmed(without_label(*line));
            const auto numbers = fortran_numbers(text);
            const bool whole = numbers && numbers->size() == 3;
            if (!lines_.ended_with_newline()) {
                // Without an end of line the last number may be cut: it must have as many digits as the
                // first.
                const auto parts = words(text);
                if (!whole || decimals(parts.back()) < decimals(parts.front())) return false;
            }
            if (!whole)
                throw_damage(text_, begin,
                             fmt::format("'{}' is not the position of atom {} of {}", trimmed(*line),
                                         atom + 1, x.cols()));
            x.col(atom) = Eigen::Map<const Eigen::Vector3d>(numbers->data());
        }
        if (!x.allFinite())
            throw_damage(text_, lines_.position(), "a frame with positions that are no numbers");
        step.positions_angstrom = cartesian ? x : Eigen::Matrix3Xd(header.lattice * x);
        run_.steps.push_back(std::move(step));
        return true;
    }

    std::string_view text_;
    LineReader lines_;
    VaspRun& run_;
};

}  // namespace

void read_xdatcar(std::string_view text, VaspRun& run) {
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
        throw_damage(text, zero, "zero bytes, which no run writes (a disk or file system error)");
    XdatcarReader(text, run).read();
}

}  // namespace stembridge::io
