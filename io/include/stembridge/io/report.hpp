// SPDX-License-Identifier: Apache-2.0
// The report of a run: one page to look at, its figures and its numbers.
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stembridge/io/plot.hpp"
#include "stembridge/structure/analysis.hpp"
#include "stembridge/structure/detection.hpp"
#include "stembridge/structure/image.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::io {

/// A stage of the chain as the page shows it.
struct ReportStage {
    enum class Status { done, not_converged, failed, not_run };
    std::string name;  ///< "Find atoms"
    Status status = Status::not_run;
    double wall_seconds = 0;
    std::string note;  ///< one line, e.g. "resumed from step 1200"
};

/// What somebody else needed for a step, beside our own times.
struct ReportTiming {
    std::string name;  ///< "the paper: 91 atoms relaxed"
    double seconds = 0;
    std::string text;  ///< as it was published: "10 CPU-hours"
};

/// What the lattice says about the pixels; only what was stated where no lattice was used.
struct ReportCalibration {
    std::optional<double> nominal_angstrom_per_px;  ///< what was stated
    std::optional<double> lattice_angstrom_per_px;  ///< area-equivalent, from the lattice
    std::optional<double> uncertainty_angstrom_per_px;
    std::optional<double> smallest_angstrom_per_px;  ///< along the principal axes
    std::optional<double> largest_angstrom_per_px;
    std::optional<double> anisotropy_percent;
    std::optional<double> shear;             ///< x moves by this much per y
    std::optional<double> rotation_degree;   ///< of a zigzag row from the x axis
    std::optional<double> mean_cc_angstrom;  ///< mean C-C distance after correction
    bool applied = true;                     ///< whether the coordinates were corrected with it
};

/// How one way of finding atoms did; scores where the truth is known.
struct ReportDetector {
    std::string name;  ///< "U-Net", "classical"
    int n_atoms = 0;
    std::optional<double> precision;
    std::optional<double> recall;
    std::optional<double> f1;
    std::optional<double> rms_angstrom;
    std::optional<double> wall_seconds;
};

/// The micrograph and what was found in it.
struct ReportFrame {
    Image image;
    Detections atoms;
    double pixel_size_angstrom = 0;  ///< 0 = unknown
    std::optional<ReportCalibration> calibration;
    std::vector<ReportDetector> detectors;  ///< the one that was used first
    std::vector<Eigen::Vector2d>
        outline_px;  ///< corners (column, row) of what was cut out; empty = whole frame
    /// Column and row of a place (x, y, 1) of the structures, x and y in bohr; left out = not known.
    std::optional<Eigen::Matrix<double, 2, 3>> pixel_of_bohr;
};

/// A structure with what the analysis found in it.
struct ReportStructure {
    Structure structure;
    std::vector<Bond> bonds;
    StructureAnalysis analysis;
};

/// The structure with its bonds and analysis. @throw InputError as analyze()
ReportStructure report_structure(const Structure& structure, const AnalysisOptions& options = {});

/// The structure that was built and how.
struct ReportBuild {
    ReportStructure built;
    std::vector<std::string> messages;  ///< removals, repairs, terminations, in order
};

/// A relaxation, its start and its end.
struct ReportRelaxation {
    ReportStructure before;
    ReportStructure after;
    std::string straightened;                       ///< what a force field did to `before` first; or empty
    std::string method;                             ///< "FIRE, then L-BFGS"
    std::vector<double> energy_ev;                  ///< per step
    std::vector<double> max_force_ev_per_angstrom;  ///< per step, free coordinates
    double tolerance_ev_per_angstrom = 1e-3;
    bool converged = false;
    Eigen::VectorXd charges;       ///< of `after`, e, or empty
    std::string coordinates_json;  ///< found coordinates against relaxed ones, for report.json; a JSON text
    std::string coordinates_text;  ///< the same in a sentence
};

/// One run of dynamics; the series have one value per written step.
struct ReportDynamics {
    std::string name;    ///< "300 K"
    std::string method;  ///< "NVT, Nose-Hoover chain, 1 fs"
    std::optional<double> target_k;
    int n_atoms = 0;
    std::vector<double> time_fs;
    std::vector<double> potential_ev;
    std::vector<double> temperature_k;
    std::vector<double> conserved_ev;
    std::optional<double> drift_mev_per_atom_per_ps;
    std::vector<double> cc_lengths_angstrom;  ///< of the C-C bonds, over the trajectory
    std::optional<ReportStructure> last;
    std::vector<Eigen::Matrix3Xd> snapshots;      ///< (3, n) each, bohr, for the cloud; some tens are enough
    std::vector<Figure> over_time;                ///< curves of the analysis over time
    std::vector<std::string> notes;               ///< what the analysis could not do, and why
    std::vector<std::vector<std::string>> facts;  ///< name and value of each row of its table
    std::vector<std::vector<std::string>>
        defects;                ///< kind, when it appeared, when it was last seen, ended how
    std::string analysis_json;  ///< every number of it, for report.json; a JSON text
};

/// Plain text in rows; the first column names the row.
struct ReportTable {
    std::vector<std::string> head;
    std::vector<std::vector<std::string>> rows;
};

/// One thing of a section: a figure, a table, lines of text, or several of them under one title.
struct ReportBlock {
    std::string title;
    std::optional<Figure> figure;
    std::string caption;  ///< of the figure
    std::optional<ReportTable> table;
    std::vector<std::string> lines;
    bool wide = false;  ///< over the whole width instead of one of two columns
};

/// Structures of the same atoms one after the other, for the view in three dimensions.
struct ReportFilm {
    std::string label;
    std::vector<Structure> frames;
};

/// A section of the page that a study brings with it.
struct ReportSection {
    std::string id;  ///< anchor, and the key of its numbers in report.json; letters, digits and '-'
    std::string title;
    std::string lead;  ///< a sentence or two under the title
    std::vector<ReportBlock> blocks;
    std::vector<ReportFilm> films = {};
    std::string json = "null";  ///< its numbers
    /// Placed before the section of the structure instead of after the dynamics.
    bool early = false;
};

/// Where the numbers come from. Empty texts are left out.
struct ReportProvenance {
    std::string version;
    std::string git_hash;
    std::string command;
    std::string date;
    std::string host;
    std::string blas_kernel;
    std::string parameter_set;
    std::optional<int> threads;
    std::optional<std::uint64_t> seed;
    std::vector<std::pair<std::string, std::string>> more;    ///< name, value
    std::vector<std::pair<std::string, std::string>> sha256;  ///< file, hash
    std::string config;                                       ///< the resolved configuration, as text
};

/// Everything the page shows. What is absent is left out of the page.
struct ReportData {
    std::string title;
    std::string subtitle;
    std::vector<std::string> warnings;
    std::vector<ReportStage> stages;
    std::vector<ReportTiming> published_timings;
    std::string published_timings_note;  ///< whose they are, and what has no number
    std::optional<ReportFrame> frame;
    std::optional<ReportBuild> build;
    std::optional<ReportRelaxation> relaxation;
    std::vector<ReportDynamics> dynamics;
    std::vector<ReportSection> sections;
    bool y_down = true;  ///< y of the structures runs down, as rows of the frame do
    ReportProvenance provenance;
};

/// Writes `folder`/index.html (self-contained), report.json and figures/, each under a temporary name that is
/// then renamed. @param folder created when missing
/// @throw FileError when something cannot be written @throw InputError when arrays that belong together
/// differ in length
void write_report(const std::filesystem::path& folder, const ReportData& data);

}  // namespace stembridge::io
