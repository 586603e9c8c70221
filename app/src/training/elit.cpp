// SPDX-License-Identifier: Apache-2.0
#include "training/elit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "configuration.hpp"
#include "environment.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/io/state_file.hpp"
#include "training/training_options.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

ml::FindAtomsOptions find_options(const ElitOptions& options, const Image& image) {
    ml::FindAtomsOptions find;
    find.pixel_size_angstrom =
        options.pixel_size_angstrom ? options.pixel_size_angstrom : image.pixel_size_angstrom;
    find.minimum_probability = options.labels.doubtful;
    return find;
}

/// The atoms of a frame, for good networks and for bad ones.
/// @param network null = the classical detector
/// @return nothing where none can be looked for or are found; the reason is told as a warning
std::optional<ml::FindAtomsResult> find(const ElitOptions& options, const Image& image,
                                        ml::SegmentationNetwork* network, const Context& context) {
    std::string why;
    try {
        return ml::find_atoms(image, network, find_options(options, image), context);
    } catch (const InputError& error) {
        why = error.what();
    } catch (const NumericalError& error) {
        why = error.what();
    }
    context.warning(why + "; the frame is left out");
    return std::nullopt;
}

/// An ensemble on the experimental frames.
struct Judged {
    std::vector<fs::path> files;
    std::vector<std::optional<ml::FindAtomsResult>> found;  ///< per frame
    ml::PhysicalScore score;  ///< of the atoms of all frames, weighted by their number
    int atoms = 0, silicon = 0, confident = 0;
    double area_nm2 = 0;
    double mean_spread = 0;

    double rate() const { return area_nm2 > 0 ? confident / area_nm2 : 0; }
};

class Elit {
  public:
    Elit(const ElitOptions& options, const StageFolder& folder, NetworkTrainer& trainer, Session& session)
        : options_(options), folder_(folder), trainer_(trainer), session_(session) {
        for (const fs::path& file : options.images) frames_.push_back(io::read_image(file, 0));
    }

    ElitOutcome run(std::uint64_t seed) {
        ElitOutcome outcome;
        std::vector<Judged> rounds{judge(options_.networks)};
        say(0, rounds.front());
        std::size_t best = 0;
        for (int round = 1; round <= options_.rounds; ++round) {
            const std::vector<fs::path> members = select(rounds.back().files);
            const auto labels = this->labels(members);
            std::vector<fs::path> trained;
            for (std::size_t m = 0; m < members.size(); ++m) {
                const std::string name = fmt::format("round-{}-member-{}", round, m + 1);
                const fs::path file =
                    folder_ / "elit" / fmt::format("round-{}", round) / fmt::format("member-{}.h5", m + 1);
                const fs::path& start = members[m];
                // Each member keeps its own shape.
                ml::TrainingOptions training = options_.training;
                const auto network = open({start});
                training.shape = network->shape();
                training.pixel_size_angstrom = network->pixel_size_angstrom();
                trainer_.train({name,
                                {file},
                                training,
                                seed + 1000 * static_cast<std::uint64_t>(round) + m,
                                [start] { return io::read_state(start); },
                                labels});
                trained.push_back(file);
                outcome.trained.push_back(name);
            }
            rounds.push_back(judge(trained));
            say(round, rounds.back());
            const double gain = rounds.back().rate() / std::max(rounds[best].rate(), 1e-12) - 1;
            const bool artefacts = rounds.back().score.value() < rounds[best].score.value() - 0.02;
            if (artefacts) session_.info("the new atoms look less physical: this round is not taken over");
            if (gain > 0 && !artefacts) best = rounds.size() - 1;
            if (gain < options_.least_gain || artefacts) break;
        }
        fs::remove_all(folder_ / "elit" / "networks");
        fs::create_directories(folder_ / "elit" / "networks");
        for (std::size_t m = 0; m < rounds[best].files.size(); ++m) {
            outcome.networks.push_back(folder_ / "elit" / "networks" / fmt::format("member-{}.h5", m + 1));
            fs::copy_file(rounds[best].files[m], outcome.networks.back());
        }
        session_.info(fmt::format("best round: {}; {} confident atoms before, {} after", best,
                                  rounds.front().confident, rounds[best].confident));
        outcome.sections.push_back(section(rounds, best));
        return outcome;
    }

  private:
    std::unique_ptr<ml::SegmentationNetwork> open(const std::vector<fs::path>& files) const {
        std::vector<State> members;
        for (const fs::path& file : files) members.push_back(io::read_state(file));
        return ml::open_network(members, {},
                                {.threads = threads_in_use(), .device = options_.training.device});
    }

    Judged judge(const std::vector<fs::path>& files) const {
        Judged judged;
        judged.files = files;
        const auto network = open(files);
        std::vector<ml::PhysicalScore> scores;
        double spread = 0;
        for (const Image& image : frames_) {
            judged.found.push_back(find(options_, image, network.get(), session_.context()));
            if (!judged.found.back()) continue;
            const ml::FindAtomsResult& found = *judged.found.back();
            const double scale = found.calibration.scale_angstrom;
            judged.area_nm2 += static_cast<double>(found.sheet().sum()) * scale * scale / 100;
            judged.confident +=
                static_cast<int>(ml::confident_atoms(found, network->members(), options_.labels).size());
            Detections atoms;
            for (const Detection& atom : found.atoms) {
                if (atom.probability < 0.5) continue;
                atoms.push_back(atom);
                spread += atom.spread;
                judged.silicon += atom.atomic_number == 14;
            }
            scores.push_back(ml::physical_score(atoms));
        }
        judged.score = ml::mean_score(scores);
        judged.atoms = judged.score.atoms;
        judged.mean_spread = spread / std::max(1, judged.atoms);
        return judged;
    }

    /// Members without artefacts: those whose own atoms are about as physical as the median member's.
    std::vector<fs::path> select(const std::vector<fs::path>& files) const {
        std::vector<double> values;
        for (const fs::path& file : files) values.push_back(judge({file}).score.value());
        std::vector<double> sorted = values;
        std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                         sorted.end());
        const double least = sorted[sorted.size() / 2] - options_.tolerated;
        std::vector<fs::path> kept;
        for (std::size_t m = 0; m < files.size(); ++m) {
            const bool keep = values[m] >= least;
            session_.info(fmt::format("{}: physical score {:.3f}{}", files[m].stem().string(), values[m],
                                      keep ? "" : ", left out"));
            if (keep) kept.push_back(files[m]);
        }
        return kept;
    }

    std::vector<ml::LabelledFrame> labels(const std::vector<fs::path>& members) const {
        const Judged judged = judge(members);
        const double grid = open({members.front()})->pixel_size_angstrom();
        std::vector<ml::LabelledFrame> labels;
        for (std::size_t f = 0; f < frames_.size(); ++f)
            if (judged.found[f])
                labels.push_back(ml::self_labelled(frames_[f], *judged.found[f],
                                                   static_cast<int>(members.size()), grid, options_.labels));
        return labels;
    }

    void say(int round, const Judged& judged) const {
        session_.info(
            fmt::format("round {}: {} networks, {} atoms ({} Si), {} confident ({:.2f} per nm2), physical "
                        "score {:.3f}, mean "
                        "spread {:.3f}",
                        round, judged.files.size(), judged.atoms, judged.silicon, judged.confident,
                        judged.rate(), judged.score.value(), judged.mean_spread));
        session_.event("elit", {{"round", round},
                                {"atoms", judged.atoms},
                                {"confident", judged.confident},
                                {"physical_score", judged.score.value()}});
    }

    ReportSection section(const std::vector<Judged>& rounds, std::size_t best) const {
        std::string html =
            "<p>Round 0 is the ensemble before it met the experimental frames. Confident atoms are those "
            "that all "
            "networks find with a high probability and that the Gaussian mixture on the local intensity "
            "gives the "
            "same "
            "class.</p>\n<table><tr><th>round</th><th>networks</th><th>atoms</th><th>Si</th><th>confident"
            "</th><th>confident per nm²</th><th>three bonds</th><th>6-rings per atom</th><th>too close</th>"
            "<th>alone</th><th>physical score</th><th>mean spread</th></tr>\n";
        for (std::size_t r = 0; r < rounds.size(); ++r) {
            const Judged& j = rounds[r];
            html += fmt::format(
                "<tr><td>{}{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.2f}</td><td>{:.3f}</td>"
                "<td>{:.3f}</td><td>{:.4f}</td><td>{:.4f}</td><td>{:.3f}</td><td>{:.3f}</td></tr>\n",
                r, r == best ? " (taken)" : "", j.files.size(), j.atoms, j.silicon, j.confident, j.rate(),
                j.score.threefold, j.score.rings, j.score.too_close, j.score.alone, j.score.value(),
                j.mean_spread);
        }
        html += "</table>\n";
        for (std::size_t f = 0; f < frames_.size(); ++f) {
            if (!rounds.front().found[f] || !rounds[best].found[f]) continue;
            const auto view = [&](const char* part, const ml::FindAtomsResult& found) {
                io::MicrographView v;
                v.name = fmt::format("elit-{}-{}", f + 1, part);
                v.image = frames_[f];
                for (const Detection& atom : found.atoms)
                    if (atom.probability >= 0.5) v.atoms.push_back(atom);
                v.pixel_size_angstrom = found.calibration.scale_angstrom;
                return io::draw(v);
            };
            const io::Figure figure = io::side_by_side(
                fmt::format("elit-{}", f + 1), "Atoms before and after the iterative training",
                {view("before", *rounds.front().found[f]), view("after", *rounds[best].found[f])},
                {"before", "after"}, 520);
            html += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", figure.svg,
                                io::escape_markup(figure.caption));
        }
        return {"Iterative training on experimental frames", html};
    }

    const ElitOptions& options_;
    const StageFolder& folder_;
    NetworkTrainer& trainer_;
    Session& session_;
    std::vector<Image> frames_;
};

}  // namespace

io::Schema elit_schema() {
    using io::Key;
    const ElitOptions o;
    return {
        Key::files("elit.images", {}, "",
                   "Experimental frames to go on learning from, of a stack the first; left out = none"),
        Key::files("elit.networks", {"builtin"}, "",
                   "Ensemble to begin with, instead of training one: files, or folders of them"),
        Key::quantity("elit.pixel_size", Dimension::length, "", "Of the frames; left out = from the files")
            .positive(),
        Key::integer("elit.rounds", std::to_string(o.rounds), "Most rounds of labelling and training")
            .at_least(1),
        Key::integer("elit.steps", "150", "Steps of each member in a round").at_least(1),
        Key::number("elit.learning_rate", "3e-4", "Largest of their schedule").positive(),
        Key::number("elit.experimental_share", "0.5", "Of the crops; the others are simulated")
            .at_least(0)
            .at_most(1),
        Key::number("elit.confident", fmt::format("{}", o.labels.confident),
                    "Probability of an atom that becomes a label")
            .at_least(0.5)
            .at_most(1),
    };
}

std::optional<ElitOptions> elit_options(const io::Config& c) {
    if (!c.has("elit.images")) return std::nullopt;
    ElitOptions o;
    o.images = c.files("elit.images");
    if (c.has("elit.networks")) o.networks = network_files(c, "elit.networks");
    if (c.has("elit.pixel_size")) o.pixel_size_angstrom = c.quantity("elit.pixel_size") / units::angstrom;
    o.rounds = static_cast<int>(c.integer("elit.rounds"));
    o.training = training_options(c);
    o.training.swag_rank = 0;
    o.training.steps = static_cast<int>(c.integer("elit.steps"));
    o.training.learning_rate = c.number("elit.learning_rate");
    o.training.report_every = std::max(1, o.training.steps / 3);
    o.training.experimental_share = c.number("elit.experimental_share");
    o.labels.confident = c.number("elit.confident");
    return o;
}

std::vector<fs::path> usable_images(const ElitOptions& options, Session& session) {
    std::vector<fs::path> usable;
    for (const fs::path& file : options.images)
        if (find(options, io::read_image(file, 0), nullptr, session.context())) usable.push_back(file);
    if (usable.empty())
        throw InputError(
            "elit.images: no frame is left; needed are frames with a lattice of graphene, or "
            "elit.pixel_size");
    return usable;
}

ElitOutcome train_iteratively(const io::Config& config, const ElitOptions& options, const StageFolder& folder,
                              NetworkTrainer& trainer, Session& session) {
    return Elit(options, folder, trainer, session)
        .run(static_cast<std::uint64_t>(config.integer("run.seed")));
}

}  // namespace stembridge::app
