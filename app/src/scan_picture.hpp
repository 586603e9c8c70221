// SPDX-License-Identifier: Apache-2.0
// A map of numbers over the plane as a PNG with a scale bar, a colour scale and the atoms.
#pragma once

#include <Eigen/Dense>
#include <filesystem>
#include <string>
#include <vector>

namespace stembridge::app {

struct ScanPicture {
    Eigen::ArrayXXd values;  ///< (rows, columns); row 0 is drawn at the top
    double pixel_angstrom = 0;
    std::string title;  ///< e.g. "+0.50 eV"; letters that Canvas has
    std::string unit;   ///< after the numbers of the colour scale, e.g. "Å"
    struct Mark {
        double column = 0, row = 0;
        int atomic_number = 0;
    };
    std::vector<Mark> atoms;  ///< rings are drawn here: C blue, Si green, H white, others magenta
};

/// @throw FileError  @throw InputError for an empty map
void write_scan_picture(const std::filesystem::path& path, const ScanPicture& picture);

}  // namespace stembridge::app
