// SPDX-License-Identifier: Apache-2.0
#include "stembridge/dft/reference_data.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::dft {
namespace {

/// key=value and key="some words" of a comment line.
std::map<std::string, std::string> keys_of(const std::string& line) {
    std::map<std::string, std::string> keys;
    std::size_t at = 0;
    while ((at = line.find_first_not_of(" \t\r", at)) != std::string::npos) {
        const std::size_t equals = line.find('=', at);
        if (equals == std::string::npos) break;
        const std::string key = line.substr(at, equals - at);
        const bool quoted = equals + 1 < line.size() && line[equals + 1] == '"';
        const std::size_t begin = equals + (quoted ? 2 : 1);
        const std::size_t end =
            std::min(quoted ? line.find('"', begin) : line.find_first_of(" \t\r", begin), line.size());
        keys[key] = line.substr(begin, end - begin);
        at = quoted ? std::min(end + 1, line.size()) : end;
    }
    return keys;
}

class Reader {
  public:
    explicit Reader(const std::filesystem::path& path) : path_(path), stream_(path) {
        if (!stream_)
            throw FileError(fmt::format("{}: cannot be read; expected extended XYZ", path.string()));
    }

    bool next(ReferenceStructure& out) {
        do {
            if (!std::getline(stream_, line_)) return false;
            ++number_;
        } while (line_.find_first_not_of(" \t\r") == std::string::npos);
        const int n = static_cast<int>(to_number(line_, "the number of atoms"));
        if (n < 1 || n > 1000000) fail("the number of atoms is not in 1..1000000");
        require("the comment line");
        const auto keys = keys_of(line_);
        const auto text = [&](const std::string& key) -> std::string {
            const auto found = keys.find(key);
            if (found == keys.end()) fail(fmt::format("the frame has no {}=", key));
            return found->second;
        };
        out = {};
        out.name = text("name");
        out.group = text("group");
        out.code = text("code");
        out.energy = to_number(text("energy_Ha"), "energy_Ha");
        if (text("Properties") != "species:S:1:pos:R:3:forces_Ha_per_bohr:R:3")
            fail("expected Properties=species:S:1:pos:R:3:forces_Ha_per_bohr:R:3");
        if (keys.count("smearing_K") != 0)
            out.electronic_temperature = to_number(text("smearing_K"), "smearing_K") * units::kelvin;
        if (keys.count("multiplicity") != 0) {
            const double multiplicity = to_number(text("multiplicity"), "multiplicity");
            out.spin_polarized = multiplicity > 1;
            if (out.spin_polarized) out.unpaired = multiplicity - 1;
        }
        if (keys.count("uks") != 0 && text("uks") == "T") out.spin_polarized = true;
        if (keys.count("Lattice") != 0) {
            std::istringstream lattice(text("Lattice"));
            for (int v = 0; v < 3; ++v)
                for (int x = 0; x < 3; ++x)
                    if (!(lattice >> out.structure.cell.vectors(x, v))) fail("Lattice needs nine numbers");
            out.structure.cell.vectors *= units::angstrom;
            out.structure.cell.periodic = {true, true, true};
        }
        read_mesh_and_stress(keys, out);
        out.structure.comment = out.name;
        out.forces.resize(3, n);
        for (int i = 0; i < n; ++i) {
            require(fmt::format("atom {} of {}", i + 1, n));
            std::istringstream words(line_);
            std::string symbol;
            Eigen::Vector3d position, force;
            if (!(words >> symbol >> position(0) >> position(1) >> position(2) >> force(0) >> force(1) >>
                  force(2)))
                fail("expected a symbol, a position and a force");
            int z = 0;
            try {
                z = atomic_number(symbol);
            } catch (const InputError& error) {
                fail(error.what());
            }
            out.structure.add(z, position * units::angstrom);
            out.forces.col(i) = force;
        }
        const Eigen::Vector3d mean = out.forces.rowwise().mean();
        out.forces.colwise() -= mean;
        return true;
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw FileError(fmt::format("{}:{}: {}", path_.string(), number_, what));
    }
    void read_mesh_and_stress(const std::map<std::string, std::string>& keys, ReferenceStructure& out) const {
        const bool periodic = out.structure.cell.is_fully_periodic();
        if (const auto mesh = keys.find("kpoints"); mesh != keys.end()) {
            std::istringstream words(mesh->second);
            for (int& n : out.kpoints)
                if (!(words >> n) || n < 1 || n > 1000) fail("kpoints needs three divisions of 1 or more");
            if (!periodic) fail("kpoints needs a Lattice");
        }
        if (const auto stress = keys.find("stress_Ha_per_bohr3"); stress != keys.end()) {
            std::istringstream words(stress->second);
            out.stress.emplace();
            for (double& x : out.stress->reshaped())
                if (!(words >> x) || !std::isfinite(x)) fail("stress_Ha_per_bohr3 needs nine numbers");
            if (!periodic) fail("stress_Ha_per_bohr3 needs a Lattice");
        }
    }
    void require(const std::string& what) {
        ++number_;
        if (!std::getline(stream_, line_)) fail(fmt::format("the file ends where {} should follow", what));
    }
    double to_number(const std::string& text, const std::string& what) const {
        const std::size_t begin = text.find_first_not_of(" \t");
        const std::size_t end = text.find_last_not_of(" \t\r");
        double value = 0;
        if (begin == std::string::npos) fail(fmt::format("{} is missing", what));
        const auto parsed = std::from_chars(text.data() + begin, text.data() + end + 1, value);
        if (parsed.ec != std::errc{} || parsed.ptr != text.data() + end + 1 || !std::isfinite(value))
            fail(fmt::format("'{}' is no number ({})", text, what));
        return value;
    }

    std::filesystem::path path_;
    std::ifstream stream_;
    std::string line_;
    long number_ = 0;
};

}  // namespace

std::vector<ReferenceStructure> read_reference_structures(const std::filesystem::path& path) {
    Reader reader(path);
    std::vector<ReferenceStructure> structures;
    ReferenceStructure structure;
    while (reader.next(structure)) structures.push_back(structure);
    if (structures.empty()) throw FileError(fmt::format("{}: it holds no structure", path.string()));
    return structures;
}

}  // namespace stembridge::dft
