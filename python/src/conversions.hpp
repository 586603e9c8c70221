// SPDX-License-Identifier: Apache-2.0
// Between Python's values, in eV, angstrom and e with one atom per row, and those of the engine.
#pragma once

#include <pybind11/eigen.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::python {

namespace py = pybind11;

using Rows = Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor>;
using FixedRows = Eigen::Array<bool, Eigen::Dynamic, 3, Eigen::RowMajor>;

/// What an ase.Atoms consists of. Lattice vectors are the rows of cell.
struct Atoms {
    std::vector<int> numbers;
    Rows positions;
    Eigen::Matrix3d cell;
    std::array<bool, 3> periodic;
    FixedRows fixed;  ///< (n, 3), or empty
};

/// @throw InputError when it makes no sense
inline Structure structure_from(const Atoms& atoms) {
    Structure structure;
    structure.atomic_numbers = atoms.numbers;
    structure.positions = atoms.positions.transpose() * units::angstrom;
    structure.cell.vectors = atoms.cell.transpose() * units::angstrom;
    structure.cell.periodic = atoms.periodic;
    if (atoms.fixed.any()) structure.fixed = atoms.fixed.transpose();
    structure.validate();
    return structure;
}

inline Atoms atoms_from(const Structure& structure) {
    Atoms atoms{structure.atomic_numbers,
                structure.positions.transpose() / units::angstrom,
                structure.cell.vectors.transpose() / units::angstrom,
                structure.cell.periodic,
                {}};
    atoms.fixed = FixedRows::Constant(structure.size(), 3, false);
    if (structure.fixed.cols() != 0) atoms.fixed = structure.fixed.transpose();
    return atoms;
}

/// Python warnings from what a computation said, once the interpreter is held again.
class Warnings {
  public:
    Context context() {
        Context context;
        context.log_sink = [this](Context::Level level, std::string_view message) {
            const std::lock_guard lock(mutex_);
            if (level == Context::Level::warning) messages_.emplace_back(message);
        };
        return context;
    }
    void issue() const {
        for (const std::string& message : messages_)
            if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) != 0) throw py::error_already_set();
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> messages_;
};

/// Runs work(stop token) in another thread, and meanwhile other threads of Python. Ctrl-C asks it to stop,
/// and is raised once it has ended.
template <class Work>
auto interruptible(const Work& work) {
    std::stop_source stop;
    std::optional<py::error_already_set> interrupt;
    auto result = std::async(std::launch::async, work, stop.get_token());
    const auto has_ended = [&] {
        const py::gil_scoped_release others_may_run;
        return result.wait_for(std::chrono::milliseconds(100)) == std::future_status::ready;
    };
    while (!has_ended()) {
        if (interrupt || PyErr_CheckSignals() == 0) continue;
        interrupt.emplace();
        stop.request_stop();
    }
    if (interrupt) throw py::error_already_set(*interrupt);
    return result.get();
}

/// The class Engine: a calculator and what it remembers from geometry to geometry.
void declare_engine(py::module_& module);

}  // namespace stembridge::python
