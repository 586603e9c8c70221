// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>

#include "stages/atom_finder.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/ml/track_atoms.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void refuse(const std::string& text, int available) {
    throw InputError(
        fmt::format("--frames {}: accepted are all, FIRST:END and FIRST:END:STEP with 0 <= FIRST < END <= "
                    "{} (END is left out)",
                    text, available));
}

/// Numbers of the frames that "all" or "first:end:step" means.
std::vector<int> frame_numbers(const std::string& text, int available) {
    std::vector<int> parts;
    if (text == "all") parts = {0, available};
    for (std::size_t begin = 0; text != "all" && begin <= text.size();) {
        const std::size_t end = std::min(text.find(':', begin), text.size());
        int value = 0;
        const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end, value);
        if (error != std::errc{} || stop != text.data() + end) refuse(text, available);
        parts.push_back(value);
        begin = end + 1;
    }
    if (parts.size() == 2) parts.push_back(1);
    if (parts.size() != 3 || parts[0] < 0 || parts[0] >= parts[1] || parts[1] > available || parts[2] < 1)
        refuse(text, available);
    std::vector<int> numbers;
    for (int frame = parts[0]; frame < parts[1]; frame += parts[2]) numbers.push_back(frame);
    return numbers;
}

std::string symbol(int atomic_number) {
    return atomic_number == 0 ? "X" : std::string(element_symbol(atomic_number));
}

std::string tracks_table(const ml::Tracking& tracking, const std::vector<ml::FrameAtoms>& frames,
                         const std::vector<int>& numbers) {
    std::string text =
        "track,frame,atom,x_angstrom,y_angstrom,x_px,y_px,element,probability,sigma_angstrom\n";
    for (std::size_t t = 0; t < tracking.tracks.size(); ++t)
        for (const ml::TrackPoint& point : tracking.tracks[t].points) {
            const auto frame = static_cast<std::size_t>(point.frame);
            const Detection& atom = frames[frame].atoms[static_cast<std::size_t>(point.index)];
            text += fmt::format("{},{},{},{:.4f},{:.4f},{:.3f},{:.3f},{},{:.4f},{:.4f}\n", t, numbers[frame],
                                point.index, point.position.x(), point.position.y(), atom.x_px, atom.y_px,
                                symbol(atom.atomic_number), atom.probability, atom.sigma_angstrom);
        }
    return text;
}

/// Positions over time: every track a line from blue (first frame) to orange (last), events as rings.
std::string tracks_picture(const ml::Tracking& tracking, const std::vector<int>& numbers) {
    const std::size_t n_frames = numbers.size();
    constexpr double side = 720, margin = 12;
    Eigen::Vector2d low(1e300, 1e300), high(-1e300, -1e300);
    for (const ml::Track& track : tracking.tracks)
        for (const ml::TrackPoint& point : track.points) {
            low = low.cwiseMin(point.position);
            high = high.cwiseMax(point.position);
        }
    if (low.x() > high.x()) low = high = Eigen::Vector2d::Zero();
    const double zoom = (side - 2 * margin) / std::max((high - low).maxCoeff(), 1.0);
    const Eigen::Vector2d size = zoom * (high - low) + Eigen::Vector2d::Constant(2 * margin);
    const auto place = [&](const Eigen::Vector2d& p) {
        return Eigen::Vector2d(zoom * (p - low) + Eigen::Vector2d::Constant(margin));
    };
    const auto color = [&](int frame) {
        const double f = n_frames > 1 ? static_cast<double>(frame) / static_cast<double>(n_frames - 1) : 0;
        return fmt::format("#{:02x}{:02x}{:02x}", static_cast<int>(std::lround(230 * f)),
                           static_cast<int>(std::lround(114 + 45 * f)),
                           static_cast<int>(std::lround(178 * (1 - f))));
    };
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 "
        "{0:.0f} {1:.0f}\">\n"
        "<title>Atoms over {2} frames, blue first, orange last; rings: appeared (green), vanished (red), "
        "changed "
        "(violet)</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        size.x(), size.y(), n_frames);
    for (const ml::Track& track : tracking.tracks) {
        // At most 10 strokes per atom: longer series are thinned out.
        const std::size_t step = std::max<std::size_t>(1, track.points.size() / 10);
        for (std::size_t i = 0; i + 1 < track.points.size(); i += step) {
            const std::size_t j = std::min(i + step, track.points.size() - 1);
            const Eigen::Vector2d a = place(track.points[i].position), b = place(track.points[j].position);
            svg += fmt::format(
                "<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"{}\" stroke-width=\"1.5\" "
                "stroke-linecap=\"round\"/>\n",
                a.x(), a.y(), b.x(), b.y(), color(track.points[j].frame));
        }
        if (track.points.size() == 1) {
            const Eigen::Vector2d a = place(track.points.front().position);
            svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"1\" fill=\"{}\"/>\n", a.x(), a.y(),
                               color(track.points.front().frame));
        }
    }
    for (const ml::TrackEvent& event : tracking.events) {
        using Kind = ml::TrackEvent::Kind;
        if (event.kind == Kind::entered || event.kind == Kind::left) continue;
        const char* ring = event.kind == Kind::appeared   ? "#009e73"
                           : event.kind == Kind::vanished ? "#d55e00"
                                                          : "#cc79a7";
        const Eigen::Vector2d at = place(event.position);
        svg += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\" fill=\"none\" stroke=\"{}\" "
            "stroke-width=\"1.5\"><title>track "
            "{}: {} in frame {}</title></circle>\n",
            at.x(), at.y(), ring, event.track, ml::name_of(event.kind),
            numbers[static_cast<std::size_t>(event.frame)]);
    }
    return svg + "</svg>\n";
}

nlohmann::json tracking_summary(const ml::Tracking& tracking, const std::vector<int>& numbers) {
    nlohmann::json events = nlohmann::json::array(), drift = nlohmann::json::array();
    nlohmann::json counted = {{"appeared", 0}, {"vanished", 0}, {"entered", 0}, {"left", 0}, {"changed", 0}};
    for (const ml::TrackEvent& event : tracking.events) {
        nlohmann::json entry = {{"kind", ml::name_of(event.kind)},
                                {"track", event.track},
                                {"frame", numbers[static_cast<std::size_t>(event.frame)]},
                                {"x_angstrom", event.position.x()},
                                {"y_angstrom", event.position.y()}};
        if (event.kind == ml::TrackEvent::Kind::changed) {
            entry["from"] = symbol(event.from);
            entry["to"] = symbol(event.to);
        }
        counted[ml::name_of(event.kind)] = counted[ml::name_of(event.kind)].get<int>() + 1;
        events.push_back(entry);
    }
    for (const auto& shift : tracking.shift_angstrom) drift.push_back({shift.x(), shift.y()});
    const auto longest = std::max_element(
        tracking.tracks.begin(), tracking.tracks.end(),
        [](const ml::Track& a, const ml::Track& b) { return a.points.size() < b.points.size(); });
    return {{"tracks", tracking.tracks.size()},
            {"longest", longest == tracking.tracks.end() ? 0 : longest->points.size()},
            {"matched", tracking.matched},
            {"drift_angstrom", drift},
            {"step_rms_angstrom", tracking.step_rms_angstrom},
            {"event_counts", counted},
            {"events", events}};
}

}  // namespace

void detect_series(const io::Config& config, const std::string& frames_text, StageFolder& folder,
                   Session& session) {
    const Timer timer;
    folder.begin();
    const fs::path& out = folder.path();
    if (!config.has("detect.image")) throw InputError("detect.image is not given: the micrograph to look at");
    io::ImageStack stack(config.file("detect.image"), dataset_of(config));
    const std::vector<int> numbers = frame_numbers(frames_text, stack.n_frames());
    AtomFinder finder(config, session);
    std::vector<ml::FrameAtoms> frames;
    nlohmann::json list = nlohmann::json::array();
    std::exception_ptr last_error;
    int failures = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (session.stop_requested())
            throw StoppedError("stopped between two frames; those before are complete");
        const std::string name = fmt::format("frame_{:04d}", numbers[i]);
        nlohmann::json entry = {{"frame", numbers[i]}, {"folder", name}};
        ml::FrameAtoms frame;
        const auto failed = [&](const Error& error) {
            last_error = std::current_exception();
            ++failures;
            entry["error"] = error.what();
            session.warning(fmt::format("frame {} is left out: {}", numbers[i], error.what()));
        };
        try {
            const Image image = stack.read(numbers[i]);
            const AtomFinder::Found found = finder.find(image, out / name);
            frame = {found.result.atoms, static_cast<double>(image.width()),
                     static_cast<double>(image.height()), found.result.calibration.angstrom_per_pixel};
            for (const char* key :
                 {"counts", "calibration", "cc_mean_angstrom", "inverted_contrast", "wall_seconds"})
                entry[key] = found.summary[key];
        } catch (const InputError& error) {  // no atoms, unusable pixels
            failed(error);
        } catch (const NumericalError& error) {  // no lattice
            failed(error);
        }
        frames.push_back(std::move(frame));
        list.push_back(std::move(entry));
        session.context().progress("frames", static_cast<std::int64_t>(i) + 1,
                                   static_cast<std::int64_t>(numbers.size()));
    }
    if (failures == static_cast<int>(numbers.size())) std::rethrow_exception(last_error);

    ml::TrackOptions options;
    options.gate_angstrom = config.quantity("detect.track_gate") / units::angstrom;
    options.largest_drift_angstrom = config.quantity("detect.track_drift") / units::angstrom;
    options.memory = static_cast<int>(config.integer("detect.track_memory"));
    const ml::Tracking tracking = ml::track_atoms(frames, options, session.context());
    io::write_text_atomically(out / "tracks.csv", tracks_table(tracking, frames, numbers));
    io::write_text_atomically(out / "tracks.svg", tracks_picture(tracking, numbers));
    const nlohmann::json summary = {{"image", config.file("detect.image").string()},
                                    {"frames", list},
                                    {"failures", failures},
                                    {"warnings", finder.warnings()},
                                    {"tracking", tracking_summary(tracking, numbers)},
                                    {"wall_seconds", timer.seconds()}};
    io::write_text_atomically(out / "summary.json", summary.dump(2) + "\n");
    const auto& counts = summary["tracking"]["event_counts"];
    session.info(
        fmt::format("{} frames, {} tracks: {} atoms appeared, {} vanished, {} changed, {} entered, {} left",
                    numbers.size() - static_cast<std::size_t>(failures), tracking.tracks.size(),
                    counts["appeared"].get<int>(), counts["vanished"].get<int>(),
                    counts["changed"].get<int>(), counts["entered"].get<int>(), counts["left"].get<int>()));
    folder.finish({"tracks.csv", "summary.json"}, timer.seconds(), summary);
}

}  // namespace stembridge::app
