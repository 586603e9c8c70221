// SPDX-License-Identifier: Apache-2.0
// Helpers shared by the tests: reference data, temporary folders, finite differences.
#pragma once

#include <Eigen/Dense>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "stembridge/structure/calculator.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::testing {

/// Folder of the reference data ($STEMBRIDGE_REFERENCE_DATA, else ../shared/reference beside the project), if
/// present.
std::optional<std::filesystem::path> reference_data();

/// The project's source folder.
std::filesystem::path source_folder();

/// The built program `stembridge`.
std::filesystem::path program();

/// Mark the running test as skipped with a reason; the whole CTest entry is then shown as skipped, never as
/// passed.
void skip(const std::string& reason);

/// Whether skip() was called in this process.
bool anything_skipped();

/// A fresh folder that is removed with the object.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }
    /// Writes a file into it, in place of one of that name. @return its path
    std::filesystem::path write(const std::string& name, const std::string& content) const;

  private:
    std::filesystem::path path_;
};

/// Forces (3, n) from central differences of the calculator's energy, hartree/bohr. @param step displacement
/// in bohr
Eigen::Matrix3Xd numerical_forces(Calculator& calculator, const Structure& structure, double step = 1e-3);

/// Stress (3, 3), tension positive, from central differences of the energy under strain, hartree/bohr^3.
Eigen::Matrix3d numerical_stress(Calculator& calculator, const Structure& structure, double step = 1e-4);

}  // namespace stembridge::testing

/// Leaves the test case as skipped when the reference data is absent; defines `reference` otherwise.
#define STEMBRIDGE_REQUIRE_REFERENCE(reference)                           \
    const auto reference##_found = stembridge::testing::reference_data(); \
    if (!reference##_found) {                                             \
        stembridge::testing::skip("reference data absent");               \
        return;                                                           \
    }                                                                     \
    const std::filesystem::path reference = *reference##_found
