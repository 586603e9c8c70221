// SPDX-License-Identifier: Apache-2.0
// The stages of the chain. Each reads files, writes files into one folder, and returns the numbers worth
// keeping; the subcommands and `stembridge run` call the same functions.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "session.hpp"
#include "stage_folder.hpp"
#include "stembridge/base/ranks.hpp"
#include "stembridge/io/config.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::app {

/// The stage detect: finds the atoms of the frame [detect] names. Writes atoms.csv, atoms.extxyz, mean.npy,
/// spread.npy, overlay.png, summary.json.
void detect(const io::Config& config, StageFolder& folder, Session& session);

/// The folder of detect() or detect_series(). What networks have found stays good where there are none; what
/// was found without them is found again once there are some. @param frames of a series
StageFolder detection_folder(const io::Config& config, const std::filesystem::path& folder,
                             const std::string& frames = "");

/// Finds the atoms of several frames of the stack [detect] names and follows them from frame to frame. Writes
/// frame_0000/, frame_0001/, ... as detect() does, tracks.csv, tracks.svg and summary.json. A frame without
/// atoms is told and left out. @param frames "all", "first:end" or "first:end:step", the end left out
/// @throw the error of the last frame when there was none with atoms
void detect_series(const io::Config& config, const std::string& frames, StageFolder& folder,
                   Session& session);

/// Finds the atoms of every micrograph that arrives in a folder, in out/FILE/, until the session is to stop
/// or nothing new came for a time. A file counts once it is whole: unchanged between two looks, and readable.
/// Files whose results are there already are left alone. @param idle_seconds 0 = wait for ever
/// @return number of frames and of failures
nlohmann::json watch_folder(const io::Config& config, const std::filesystem::path& folder,
                            double idle_seconds, const std::filesystem::path& out, Session& session);

/// Turns detections (.csv) or a structure into a cell. Writes structure.extxyz and build.json.
/// @return the content of build.json
nlohmann::json build(const io::Config& config, const std::filesystem::path& input,
                     const std::filesystem::path& out, Session& session);

/// Relaxes a structure; continues from a checkpoint of the same inputs. Writes relaxed.extxyz, relax.csv and
/// checkpoint.h5. @throw ConvergenceError when the forces stay too large; last.extxyz then holds the best
/// structure
/// @throw StoppedError after writing a checkpoint
nlohmann::json relax(const io::Config& config, const Structure& start, StageFolder& folder, Session& session);

/// One frame with energy, forces and charges, under its name only when it is complete. @throw FileError
void write_frame(const std::filesystem::path& path, const Structure& structure, const Evaluation& evaluation);

/// One of the runs that [md] asks for.
struct Replica {
    std::string name;  ///< "300K", "300K-seed2", "schedule"
    double kT = 0;     ///< md.temperature, hartree; of a schedule its highest
    std::uint64_t seed = 1;
};

/// The runs of [md]: every temperature (or the schedule) with every seed. @throw InputError when md.schedule
/// cannot be read or stands beside md.temperature or md.heat_up
std::vector<Replica> replicas_of(const io::Config& config);
/// The same of a configuration in which every key is set, as in config.resolved.toml.
std::vector<Replica> replicas_named(const io::Config& config);

/// The configuration of one of them: a single temperature and seed, so that its hash does not depend on the
/// others. @param start where it has velocities, md.seeds asks for others: a start temperature
io::Config config_of(const io::Config& config, const Replica& replica, const Structure& start);

/// One run of dynamics; continues from a checkpoint of the same inputs, a finished one up to more steps.
/// Writes trajectory.extxyz, thermo.csv, final.extxyz and checkpoint.h5. @param progress called with the
/// number of steps done; left out = the session shows them  @throw StoppedError after writing a checkpoint
nlohmann::json dynamics(const io::Config& config, const Structure& start, const Replica& replica,
                        StageFolder& folder, Session& session,
                        const std::function<void(std::int64_t)>& progress = {});

/// Of the runs of [md] those that fall to this process, several at a time, each in its own folder 300K/,
/// 500K/, ...; those that are done are left alone. One that fails does not keep the others from their end.
/// @param files hashed with the configuration, that of the structure last  @throw the first error, or
/// StoppedError after every run has written a checkpoint
void sweep(const io::Config& config, const Structure& start, const std::vector<std::filesystem::path>& files,
           const std::filesystem::path& folder, const Ranks& ranks, Session& session);

/// Frequencies, normal modes and thermochemistry of a structure; continues from a checkpoint of the same
/// inputs. Writes vibrations.json, modes.extxyz, spectrum.svg and checkpoint.h5. @throw StoppedError after
/// writing a checkpoint
nlohmann::json vibrations(const io::Config& config, const Structure& start, StageFolder& folder,
                          Session& session);

/// The path of least energy between two states of the same atoms; continues from a checkpoint of the same
/// inputs. Writes path.extxyz, saddle.extxyz, profile.csv, profile.svg, neb.csv, neb.json and checkpoint.h5.
/// @throw ConvergenceError when the band's forces stay too large; the path so far is written all the same
/// @throw StoppedError after writing a checkpoint
nlohmann::json neb(const io::Config& config, const Structure& start, const Structure& end,
                   StageFolder& folder, Session& session);

/// Writes report/ from whatever the stages of a run folder have left. @param warnings shown at the top
void write_run_report(const std::filesystem::path& run_folder, const io::Config& config, Session& session);

/// The files of weights that the configuration names ("builtin" and folders resolved), one or more per
/// member.
/// @throw FileError for a folder without any
std::vector<std::filesystem::path> network_files(const io::Config& config,
                                                 const std::string& key = "detect.network");

/// Hash of everything that decides the result of a stage: tables of the configuration and contents of files.
/// @param more whatever else decides it
std::string inputs_hash(const io::Config& config, const std::vector<std::string>& tables,
                        const std::vector<std::filesystem::path>& files, const std::string& more = "");

/// The same for a training: of the networks with what they learn from experimental frames, and after a slash
/// of the networks alone. Device, checkpoints and reports decide neither.
std::string training_inputs(const io::Config& config, const std::vector<std::filesystem::path>& start,
                            const std::vector<std::filesystem::path>& elit_files);

/// Files of Slater-Koster tables for these elements, for hashes and provenance.
std::vector<std::filesystem::path> table_files(const io::Config& config, const Structure& structure);
/// @throw InputError naming the pairs of elements without a table; nothing is asked for where another program
/// gives the energy
void require_tables(const io::Config& config, const Structure& structure);

/// Warns where calculator.spin.unpaired is odd and the number of electrons even, or the other way round.
void check_unpaired(const io::Config& config, const Structure& structure, Session& session);

/// One stage of its own, as the subcommands do it: reads a structure and does the stage in a folder, or
/// nothing when the folder holds the results of the same inputs. @param name of the stage and of its table
/// @param more_files read besides the structure
void run_alone(const io::Config& config, const std::filesystem::path& structure_file,
               const std::filesystem::path& folder, const std::string& name, Session& session,
               const std::function<void(const Structure&, StageFolder&)>& stage,
               const std::vector<std::filesystem::path>& more_files = {});

}  // namespace stembridge::app
