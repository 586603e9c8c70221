// SPDX-License-Identifier: Apache-2.0
#include "stembridge/dft/make_parameters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/dft/orbital_table.hpp"
#include "stembridge/dft/skf_writer.hpp"
#include "whole_file.hpp"

namespace stembridge::dft {
namespace fs = std::filesystem;

namespace {

std::string pair_name(const ElementPair& pair) {
    return element_symbol(pair.first) + "-" + element_symbol(pair.second);
}

/// Ends with what calculators take from it: whether charges are to be shell-resolved.
std::string description(const ElementOptions& e) {
    std::vector<std::string> shells, walls;
    for (const auto& [n, l] : e.valence) shells.push_back(shell_name(n, l));
    for (const Confinement& c : e.wave) walls.push_back(c.description());
    std::string slater;
    for (const SlaterFunctions& s : e.slater)
        slater += fmt::format(" slater {} powers {}", fmt::join(s.exponents, ","), s.powers);
    return fmt::format("{}: configuration {}; shells {}; {}; orbitals {}; density {};{} hubbard {}",
                       element_symbol(e.atomic_number), e.configuration, fmt::join(shells, " "),
                       e.relativity == Relativity::zora ? "ZORA" : "non-relativistic", fmt::join(walls, " "),
                       e.density.description(), e.slater.empty() ? " splines;" : slater + ";",
                       e.shell_resolved_hubbard ? "by shell" : "of the highest occupied shell");
}

/// Everything that the electronic table of a pair depends on, in words.
std::string settings_text(const ParameterOptions& o, const ElementOptions& a, const ElementOptions& b) {
    return fmt::format(
        "<Functional>{}</Functional>\n<Superposition>{}</Superposition>\n<Basis atom=\"1\">{}</Basis>\n"
        "<Basis atom=\"2\">{}</Basis>\n"
        "<Integrals>tolerance {}; radial grid {} intervals, degree {}, {} bohr; rows from {} bohr, end below "
        "{}</Integrals>\n",
        o.functional, o.integrals.superposition == Superposition::density ? "density" : "potential",
        description(a), description(b), o.integrals.tolerance, o.grid.intervals, o.grid.degree, o.grid.radius,
        o.tables.first_distance, o.tables.end_tolerance);
}

std::string file_text(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

/// Whether a table ends where these settings end it: at the longest distance, or by itself before it.
bool ends_as_asked(const tb::SkfTable& table, const TableOptions& o) {
    const int last_row = static_cast<int>(std::floor(o.longest / o.spacing + 1e-9));
    if (table.n_rows >= last_row) return table.n_rows == last_row;
    const auto n_last =
        static_cast<std::ptrdiff_t>(std::lround(1 / o.spacing)) * 2 * tb::SkfTable::n_integrals;
    const auto begin = table.values.end() - std::min(n_last, std::ssize(table.values));
    return std::all_of(begin, table.values.end(),
                       [&](double integral) { return std::abs(integral) < o.end_tolerance; });
}

/// Fills in the one-centre part of a table of an element with itself.
void add_one_centre(tb::SkfTable& table, const ElementOptions& element, const OneCentre& data) {
    table.atom.emplace();
    std::size_t homo = 0;
    for (std::size_t k = 0; k < data.shells.size(); ++k) {
        const bool higher =
            data.shells[homo].occupation == 0 || data.shells[k].energy > data.shells[homo].energy;
        if (data.shells[k].occupation > 0 && higher) homo = k;
    }
    for (std::size_t k = 0; k < data.shells.size(); ++k) {
        const auto u = static_cast<Eigen::Index>(element.shell_resolved_hubbard ? k : homo);
        (*table.atom)[static_cast<std::size_t>(data.shells[k].l)] = {
            data.shells[k].energy, data.hubbard(u, u), data.shells[k].occupation};
    }
}

/// Spin constants of all elements in the form that other programs read: a block per element, shells s p d.
std::string spin_text(const std::map<int, OneCentre>& elements) {
    std::string text;
    for (const auto& [z, one_centre] : elements) {
        const OneCentre& data = one_centre;  // a structured binding cannot be captured below
        std::vector<std::size_t> order(data.shells.size());
        for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return data.shells[a].l < data.shells[b].l; });
        text += element_symbol(z) + ":\n";
        for (const std::size_t i : order) {
            for (const std::size_t j : order)
                text += fmt::format("   {:9.6f}",
                                    data.spin(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)));
            text += '\n';
        }
        text += '\n';
    }
    return text;
}

std::vector<std::string> orbitals_documentation(const ParameterOptions& o) {
    std::vector<std::string> lines = {
        fmt::format("Radial parts R(r), bohr^-3/2, of the valence orbitals of the set {} (stembridge {})",
                    o.name, STEMBRIDGE_VERSION),
        "phi = R(r) Y_lm with real spherical harmonics; int R^2 r^2 dr = 1; the outermost lobe is positive",
        fmt::format("functional {}", o.functional)};
    for (const ElementOptions& e : o.elements) lines.push_back(description(e));
    return lines;
}

/// Electronic tables of a set, made or found.
class ElectronicTables {
  public:
    ElectronicTables(const ParameterOptions& options, const fs::path& folder, const Context& context)
        : o_(options), folder_(folder), context_(context) {}

    void make(ParameterSet& set) {
        std::map<int, PseudoAtom> atoms;
        for (const ElementOptions& e : o_.elements) {
            context_.info(description(e));
            AtomOptions free_atom;
            free_atom.atomic_number = e.atomic_number;
            free_atom.shells = parse_configuration(e.configuration);
            free_atom.functional = o_.functional;
            free_atom.relativity = e.relativity;
            free_atom.grid = o_.grid;
            set.elements[e.atomic_number] = one_centre(free_atom, e.valence, context_);
            atoms.emplace(e.atomic_number, pseudo_atom(e, o_, context_));
        }
        write_whole_file(folder_ / "spinw.txt", spin_text(set.elements));
        std::vector<PseudoAtom> in_order;
        for (const auto& [z, atom] : atoms) in_order.push_back(atom);
        set.orbitals = orbital_table(in_order);
        for (std::size_t i = 0; i < o_.elements.size(); ++i)
            for (std::size_t j = i; j < o_.elements.size(); ++j) {
                const ElementOptions &a = o_.elements[i], &b = o_.elements[j];
                const ElementPair pair = element_pair(a.atomic_number, b.atomic_number);
                if (!o_.only.empty() && std::find(o_.only.begin(), o_.only.end(), pair) == o_.only.end())
                    continue;
                make_pair(a, b, atoms, set);
            }
    }

    fs::path file(int a, int b) const {
        return folder_ / fmt::format("{}-{}.skf", element_symbol(a), element_symbol(b));
    }
    const std::map<std::pair<int, int>, tb::SkfTable>& tables() const { return tables_; }
    const std::map<std::pair<int, int>, std::string>& settings() const { return settings_; }

  private:
    void make_pair(const ElementOptions& a, const ElementOptions& b, const std::map<int, PseudoAtom>& atoms,
                   const ParameterSet& set) {
        const int za = a.atomic_number, zb = b.atomic_number;
        const std::pair<int, int> ab{za, zb}, ba{zb, za};
        settings_[ab] = settings_text(o_, a, b);
        settings_[ba] = settings_text(o_, b, a);
        const auto done = [&](const std::pair<int, int>& order) {
            const fs::path path = file(order.first, order.second);
            if (!fs::exists(path) || file_text(path).find(settings_[order]) == std::string::npos)
                return false;
            tables_[order] = tb::read_skf(path, za == zb);
            return tables_[order].spacing == o_.tables.spacing && ends_as_asked(tables_[order], o_.tables);
        };
        if (done(ab) && done(ba)) {
            context_.info(fmt::format("{}: electronic tables found", pair_name(ab)));
            return;
        }
        TwoCentreOptions integrals = o_.integrals;
        integrals.functional = o_.functional;
        auto [first, second] = integral_tables(TwoCentre(atoms.at(za), atoms.at(zb), integrals), o_.tables,
                                               pair_name(ab), context_);
        first.mass_dalton = atomic_mass(za) / units::dalton;
        second.mass_dalton = atomic_mass(zb) / units::dalton;
        if (za == zb) add_one_centre(first, a, set.elements.at(za));
        tables_[ab] = first;
        if (za != zb) tables_[ba] = second;
        for (const auto& order : std::set<std::pair<int, int>>{ab, ba})
            write_skf(file(order.first, order.second), tables_[order],
                      set.elements.at(order.first).spin_polarization,
                      settings_[order] + "<Repulsive>none: electronic part only</Repulsive>\n");
    }

    const ParameterOptions& o_;
    fs::path folder_;
    const Context& context_;
    std::map<std::pair<int, int>, tb::SkfTable> tables_;
    std::map<std::pair<int, int>, std::string> settings_;
};

/// 64-bit Fowler-Noll-Vo hash, FNV-1a.
std::uint64_t fnv1a(const std::string& text, std::uint64_t hash = 14695981039346656037U) {
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 1099511628211U;
    }
    return hash;
}

/// Electronic results of reference structures on disk, valid for the tables that lie beside them.
class ResultStore {
  public:
    explicit ResultStore(const fs::path& tables) : folder_(tables / "structures") {
        std::set<fs::path> files;
        for (const auto& entry : fs::directory_iterator(tables))
            if (entry.is_regular_file()) files.insert(entry.path());
        for (const fs::path& file : files) tables_hash_ = fnv1a(file_text(file), tables_hash_);
        fs::create_directories(folder_);
    }

    std::optional<ElectronicResult> find(const ReferenceStructure& reference) const {
        std::istringstream stream(file_text(path(reference)));
        std::string key;
        if (!std::getline(stream, key) || key != key_of(reference)) return std::nullopt;
        ElectronicResult result;
        result.forces.resize(3, reference.structure.size());
        stream >> result.energy;
        for (double& f : result.forces.reshaped()) stream >> f;
        if (reference.stress) {
            result.stress.emplace();
            for (double& x : result.stress->reshaped()) stream >> x;
        }
        return stream ? std::optional(result) : std::nullopt;
    }

    void keep(const ReferenceStructure& reference, const ElectronicResult& result) const {
        std::string text = key_of(reference) + fmt::format("\n{:.17g}\n", result.energy);
        for (const auto& f : result.forces.colwise())
            text += fmt::format("{:.17g} {:.17g} {:.17g}\n", f(0), f(1), f(2));
        if (reference.stress)
            for (const double x : result.stress->reshaped()) text += fmt::format("{:.17g}\n", x);
        write_whole_file(path(reference), text);
    }

  private:
    fs::path path(const ReferenceStructure& reference) const {
        std::string name = reference.name;
        for (char& c : name)
            if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
        return folder_ / (name + ".txt");
    }
    std::string key_of(const ReferenceStructure& r) const {
        std::string text =
            fmt::format("{} {} {} {} {}", r.electronic_temperature, r.spin_polarized, r.unpaired.value_or(-1),
                        fmt::join(r.kpoints, " "), r.stress.has_value());
        for (const double x : r.structure.cell.vectors.reshaped()) text += fmt::format(" {}", x);
        text += fmt::format(" {}", fmt::join(r.structure.atomic_numbers, " "));
        for (const double x : r.structure.positions.reshaped()) text += fmt::format(" {}", x);
        return fmt::format("{:016x} {:016x}", tables_hash_, fnv1a(text));
    }

    fs::path folder_;
    std::uint64_t tables_hash_ = fnv1a("");
};

void check(const ParameterOptions& options) {
    if (options.elements.empty()) throw InputError("a Slater-Koster set needs at least one element");
    std::set<int> seen;
    for (const ElementOptions& e : options.elements) {
        const std::string& symbol = element_symbol(e.atomic_number);
        if (!seen.insert(e.atomic_number).second)
            throw InputError(fmt::format("element {} stands twice", symbol));
        if (e.valence.empty()) throw InputError(fmt::format("element {} has no valence shells", symbol));
        double electrons = 0;
        for (const Shell& s : parse_configuration(e.configuration)) electrons += s.occupation();
        if (std::abs(electrons - e.atomic_number) > 1e-9)
            throw InputError(
                fmt::format("element {}: the configuration \"{}\" has {} electrons, a neutral atom {}",
                            symbol, e.configuration, electrons, e.atomic_number));
    }
    for (const RepulsivePairOptions& p : options.repulsive.pairs)
        for (const int z : {p.first, p.second})
            if (seen.count(z) == 0)
                throw InputError(fmt::format("repulsive of {}: {} is no element of the set",
                                             pair_name({p.first, p.second}), element_symbol(z)));
}

}  // namespace

PseudoAtom pseudo_atom(const ElementOptions& element, const ParameterOptions& options,
                       const Context& context) {
    AtomOptions atom;
    atom.atomic_number = element.atomic_number;
    atom.shells = parse_configuration(element.configuration);
    atom.functional = options.functional;
    atom.relativity = element.relativity;
    atom.grid = options.grid;
    atom.slater = element.slater;
    if (element.wave.empty())
        throw InputError(fmt::format("element {}: the orbitals have no confinement",
                                     element_symbol(element.atomic_number)));
    PseudoAtom result;
    result.valence = element.valence;
    atom.confinement = element.wave;
    if (atom.confinement.size() == 1) atom.confinement.assign(4, element.wave.front());
    result.wave = solve_atom(atom, context);
    atom.confinement.assign(4, element.density);
    result.density = solve_atom(atom, context);
    return result;
}

std::vector<ElectronicResult> electronic_results(std::vector<ReferenceStructure>& references,
                                                 const fs::path& folder,
                                                 const ElectronicCalculatorFactory& make_calculator,
                                                 std::vector<std::string>& not_converged,
                                                 const Context& context) {
    std::vector<ElectronicResult> results;
    std::vector<ReferenceStructure> kept;
    const ResultStore store(folder);
    for (std::size_t s = 0; s < references.size(); ++s) {
        if (context.stop_requested())
            throw StoppedError("tight binding of the reference structures: stopped");
        context.progress("tight binding of the reference structures", static_cast<std::int64_t>(s),
                         static_cast<std::int64_t>(references.size()));
        const ReferenceStructure& reference = references[s];
        if (const auto found = store.find(reference)) {
            results.push_back(*found);
            kept.push_back(reference);
            continue;
        }
        const auto calculator =
            make_calculator(folder, {reference.electronic_temperature, reference.spin_polarized,
                                     reference.unpaired, reference.kpoints});
        Evaluation out;
        try {
            calculator->evaluate(reference.structure, {true, reference.stress.has_value()}, out, context);
        } catch (const ConvergenceError& error) {
            context.warning(fmt::format("{}: left out of the fit: {}", reference.name, error.what()));
            not_converged.push_back(reference.name);
            continue;
        }
        results.push_back({out.energy, out.forces, out.stress});
        store.keep(reference, results.back());
        kept.push_back(reference);
    }
    references = std::move(kept);
    return results;
}

ParameterSet make_parameters(const ParameterOptions& options, const fs::path& folder,
                             const ElectronicCalculatorFactory& make_calculator, const Context& context) {
    check(options);
    std::vector<ReferenceStructure> references;
    if (options.only.empty())
        for (const fs::path& path : options.references) {
            for (ReferenceStructure& reference : read_reference_structures(path)) {
                for (const int z : reference.structure.atomic_numbers)
                    if (std::none_of(options.elements.begin(), options.elements.end(),
                                     [z](const ElementOptions& e) { return e.atomic_number == z; }))
                        throw InputError(
                            fmt::format("{}: structure {} holds {}, which is no element of the set",
                                        path.string(), reference.name, element_symbol(z)));
                references.push_back(std::move(reference));
            }
        }
    const fs::path electronic_folder = folder / "electronic";
    std::error_code error;
    fs::create_directories(electronic_folder, error);
    if (error)
        throw FileError(fmt::format("{}: cannot be made: {}", electronic_folder.string(), error.message()));

    ParameterSet set;
    ElectronicTables electronic(options, electronic_folder, context);
    electronic.make(set);
    if (!references.empty()) {
        const std::vector<ElectronicResult> results =
            electronic_results(references, electronic_folder, make_calculator, set.not_converged, context);
        set.fit = fit_repulsive(references, results, options.repulsive);
        set.left_out = leave_one_group_out(references, results, options.repulsive, context);
    }

    for (const auto& [order, table] : electronic.tables()) {
        if (!options.only.empty()) {  // a finished file of the set, if there is one, keeps its repulsion
            set.files.push_back(electronic.file(order.first, order.second));
            continue;
        }
        const ElementPair pair = element_pair(order.first, order.second);
        tb::SkfTable complete = table;
        const auto given = std::find_if(
            options.repulsive.pairs.begin(), options.repulsive.pairs.end(),
            [&](const RepulsivePairOptions& p) { return element_pair(p.first, p.second) == pair; });
        const bool fitted = set.fit && set.fit->potentials.count(pair) != 0;
        std::string repulsive;
        if (fitted) {
            complete.repulsive = set.fit->potentials.at(pair).as_spline();
            repulsive = fmt::format("<Repulsive>spline, {} distances of reference structures</Repulsive>\n",
                                    set.fit->distances.at(pair).size());
        } else {
            const double below = given == options.repulsive.pairs.end()
                                     ? 2 * (covalent_radius(pair.first) + covalent_radius(pair.second))
                                     : given->cutoff;
            repulsive = fmt::format(
                "<Repulsive>missing: no reference data</Repulsive>\n<RepulsiveMissingBelow>{:.3f}"
                "</RepulsiveMissingBelow>\n",
                below);
            if (order.first <= order.second) set.without_repulsive.push_back(pair);
        }
        std::string notes;
        for (const std::string& note : options.notes) notes += fmt::format("<Note>{}</Note>\n", note);
        const fs::path path = folder / electronic.file(order.first, order.second).filename();
        write_skf(path, complete, set.elements.at(order.first).spin_polarization,
                  fmt::format("<Set>{}</Set>\n<Code>stembridge {}</Code>\n{}{}{}", options.name,
                              STEMBRIDGE_VERSION, electronic.settings().at(order), repulsive, notes));
        set.files.push_back(path);
    }
    write_whole_file(folder / "spinw.txt", spin_text(set.elements));
    set.files.push_back(folder / "spinw.txt");
    const fs::path orbitals = folder / tb::orbitals_file_name;
    write_whole_file(orbitals, tb::orbitals_text(set.orbitals, orbitals_documentation(options)));
    set.files.push_back(orbitals);
    return set;
}

}  // namespace stembridge::dft
