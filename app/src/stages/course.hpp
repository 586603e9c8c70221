// SPDX-License-Identifier: Apache-2.0
// What the pieces of the analysis of a trajectory share.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "stages/trajectory_analysis.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::app {

/// A CSV text: numbers as short as they can be read back.
class Table {
  public:
    explicit Table(const std::vector<std::string>& columns)
        : text_(fmt::format("{}\n", fmt::join(columns, ","))) {}
    void row(const std::vector<std::string>& cells) { text_ += fmt::format("{}\n", fmt::join(cells, ",")); }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

inline std::string cell(double value) {
    return fmt::format("{:.8g}", value);
}
inline std::string cell(int value) {
    return std::to_string(value);
}

/// A trajectory on its way through the analysis.
struct Course {
    const io::Config& config;
    const std::vector<io::Frame>& frames;
    std::vector<Structure> structures;  // unwrapped
    std::vector<double> time;           // fs, or the number of the frame
    double spacing_fs = 0;              // 0 = not even, or unknown
    bool has_time = false;
    io::Axis time_axis;
    std::string prefix;
    TrajectoryAnalysis result;

    /// @throw InputError when there are no frames or their atoms differ
    Course(const io::Config& c, const std::vector<io::Frame>& f, std::string id_prefix);
    std::string time_column() const { return has_time ? "time_fs" : "frame"; }
    std::string time_key(const std::string& what) const { return what + (has_time ? "_fs" : "_frame"); }
    const Structure& first() const { return structures.front(); }
    /// Adds a figure to the result.
    void draw(io::CurvePlot plot);
};

/// Displacements, pair distances, Lindemann index, vibrations, charges.
void analyze_motion(Course& course);

}  // namespace stembridge::app
