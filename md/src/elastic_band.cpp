// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/elastic_band.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

#include "checked_evaluation.hpp"
#include "checkpoint.hpp"
#include "coordinates.hpp"
#include "rigid_motion.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::md {
namespace {

/// Stiffness that the first step assumes: that of a bond.
constexpr double first_stiffness = 70 * units::electronvolt / (units::angstrom * units::angstrom);
/// So many steps without a new smallest force, and L-BFGS begins anew with shorter steps.
constexpr int patience = 40;

void require(bool sensible, const char* message) {
    if (!sensible) throw InputError(message);
}

/// The structure with all masses alike: forces are free of rigid motion in the ordinary scalar product, in
/// which the band measures its path.
Structure with_equal_masses(Structure structure) {
    std::fill(structure.atomic_numbers.begin(), structure.atomic_numbers.end(), 6);
    structure.isotopes.resize(0);
    return structure;
}

/// L-BFGS without a line search, for forces that are no gradient. The matrix of pairs is scaled by the
/// latest.
/// @source Nocedal, Wright, Numerical Optimization, algorithm 7.4
class GlobalLbfgs {
  public:
    explicit GlobalLbfgs(int memory) : memory_(memory) {}

    void forget() {
        pairs_.clear();
        gradient_.resize(0);
    }
    /// Displacement against the gradient, not yet shortened.
    Eigen::VectorXd direction(const Eigen::VectorXd& gradient) {
        if (gradient_.size() == gradient.size() && moved_.size() == gradient.size()) {
            const Eigen::VectorXd y = gradient - gradient_;
            // Where the force curves the wrong way the pair says nothing about a minimum.
            if (moved_.dot(y) > 1e-4 * moved_.norm() * y.norm()) pairs_.push_back({moved_, y});
            if (static_cast<int>(pairs_.size()) > memory_) pairs_.pop_front();
        }
        gradient_ = gradient;
        Eigen::VectorXd q = gradient;
        std::vector<double> alpha(pairs_.size());
        for (std::size_t k = pairs_.size(); k-- > 0;) {
            alpha[k] = pairs_[k].s.dot(q) / pairs_[k].s.dot(pairs_[k].y);
            q -= alpha[k] * pairs_[k].y;
        }
        q *= pairs_.empty() ? 1 / first_stiffness
                            : pairs_.back().s.dot(pairs_.back().y) / pairs_.back().y.squaredNorm();
        for (std::size_t k = 0; k < pairs_.size(); ++k)
            q += pairs_[k].s * (alpha[k] - pairs_[k].y.dot(q) / pairs_[k].s.dot(pairs_[k].y));
        if (q.dot(gradient) > 0) return -q;
        forget();
        gradient_ = gradient;
        return -gradient / first_stiffness;
    }
    void moved_by(const Eigen::VectorXd& displacement) { moved_ = displacement; }

    State save() const {
        State state;
        state.put("gradient", gradient_);
        state.put("moved", moved_);
        state.put("pairs", static_cast<std::int64_t>(pairs_.size()));
        for (std::size_t k = 0; k < pairs_.size(); ++k) {
            state.put(fmt::format("s{}", k), pairs_[k].s);
            state.put(fmt::format("y{}", k), pairs_[k].y);
        }
        return state;
    }
    void restore(const State& state) {
        const auto vector = [&](const std::string& name) -> Eigen::VectorXd {
            const auto& values = state.get<std::vector<double>>(name);
            return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
        };
        gradient_ = vector("gradient");
        moved_ = vector("moved");
        pairs_.clear();
        for (std::int64_t k = 0; k < state.integer("pairs"); ++k)
            pairs_.push_back({vector(fmt::format("s{}", k)), vector(fmt::format("y{}", k))});
    }

  private:
    struct Pair {
        Eigen::VectorXd s, y;
    };
    int memory_;
    std::deque<Pair> pairs_;
    Eigen::VectorXd gradient_, moved_;
};

}  // namespace

double BandProfile::at(double s) const {
    std::size_t k = 0;
    while (k + 2 < length.size() && s > length[k + 1]) ++k;
    const double h = length[k + 1] - length[k], t = h > 0 ? (s - length[k]) / h : 0;
    const double a = energy[k], b = energy[k + 1], da = h * slope[k], db = h * slope[k + 1];
    return a + t * (da + t * (3 * (b - a) - 2 * da - db + t * (2 * (a - b) + da + db)));
}

struct ElasticBand::Implementation {
    std::vector<Structure> images;
    std::vector<std::unique_ptr<Calculator>> calculators;
    int workers;
    BandOptions options;
    Context context;
    FreeCoordinates free;
    RigidMotion held;

    std::vector<Evaluation> evaluations;  // of every image; empty before the first step
    GlobalLbfgs optimizer;
    int steps = 0;
    bool climbing = false;
    double step_length;

    /// The band that felt the smallest force, of those that climb once the climb has begun.
    struct Best {
        double force = std::numeric_limits<double>::infinity();
        std::vector<Structure> images;
        std::vector<Evaluation> evaluations;
    };
    Best best;
    int since_best = 0;  // steps

    Implementation(std::vector<Structure> path, const CalculatorFactory& make, int w, BandOptions o,
                   Context c)
        : images(std::move(path)),
          workers(w),
          options(o),
          context(std::move(c)),
          free(checked(images)),
          held(with_equal_masses(images.front()), o.hold_rigid_motion, o.hold_rigid_motion),
          optimizer(o.memory),
          step_length(o.max_step_length) {
        require(workers >= 1, "a band needs at least one worker");
        require(o.spring > 0, "the springs of a band must be positive");
        require(o.max_force > 0 && o.max_step_length > 0 && o.max_steps > 0 && o.memory > 0,
                "force, step length, steps and memory of a band must be positive");
        require(free.size() > 0, "every coordinate is fixed: nothing can go from one state to the other");
        for (std::size_t k = 0; k < images.size(); ++k) calculators.push_back(make());
    }

    static const Structure& checked(const std::vector<Structure>& images) {
        require(images.size() >= 3, "a band needs at least three images");
        require(images.front().size() > 0, "a structure without atoms has no path");
        images.front().validate();
        images.back().validate();
        for (const Structure& image : images)  // in between, atoms may meet on a first path
            require(image.atomic_numbers == images.front().atomic_numbers &&
                        image.positions.cols() == image.size() && image.positions.allFinite(),
                    "the images of a band must have the same atoms, at finite positions");
        return images.front();
    }

    std::size_t last() const { return images.size() - 1; }

    /// Evaluates images of a path, several at once. @param ends those too
    std::vector<Evaluation> evaluate(const std::vector<Structure>& path, bool ends) {
        std::vector<Evaluation> result = evaluations;
        result.resize(path.size());
        std::vector<std::size_t> tasks;
        for (std::size_t k = ends ? 0 : 1; k <= (ends ? last() : last() - 1); ++k) tasks.push_back(k);
        std::mutex logging;
        Context shared = context;
        shared.progress_sink = {};
        if (context.log_sink)
            shared.log_sink = [&](Context::Level level, std::string_view text) {
                const std::scoped_lock lock(logging);
                context.log_sink(level, text);
            };
        std::vector<std::exception_ptr> failures(path.size());
        std::atomic<std::size_t> next = 0;
        const auto work = [&] {
            for (std::size_t t = next++; t < tasks.size(); t = next++) {
                const std::size_t k = tasks[t];
                try {
                    Evaluation at;
                    calculators[k]->evaluate(path[k], {.forces = true, .stress = false}, at, shared);
                    if (!is_finite(at, *calculators[k], path[k].size()))
                        throw NumericalError(
                            fmt::format("energy or forces of image {} are not finite numbers; "
                                        "try another start path",
                                        k));
                    result[k] = std::move(at);
                } catch (...) {
                    failures[k] = std::current_exception();
                }
            }
        };
        if (workers == 1) {
            work();
        } else {
            std::vector<std::jthread> team;
            for (int w = 0; w < workers; ++w) team.emplace_back(work);
        }
        for (const auto& failure : failures)
            if (failure) std::rethrow_exception(failure);
        return result;
    }

    double energy(std::size_t k) const { return evaluations[k].energy; }
    /// From one image to another, without the rigid motion of image `at`, which costs no energy.
    Eigen::VectorXd way(std::size_t from, std::size_t to, std::size_t at) const {
        Eigen::Matrix3Xd w = images[to].positions - images[from].positions;
        held.remove(images[at].positions, w);
        return free.gather(w);
    }

    /// Unit tangent at an image: towards the neighbour of higher energy; at an extremum both, weighted so
    /// that it turns smoothly.
    Eigen::VectorXd tangent(std::size_t k) const {
        if (k == 0) return way(0, 1, 0).normalized();
        if (k == last()) return way(k - 1, k, k).normalized();
        const Eigen::VectorXd ahead = way(k, k + 1, k), behind = way(k - 1, k, k);
        const double up = energy(k + 1) - energy(k), down = energy(k) - energy(k - 1);
        if (up > 0 && down > 0) return ahead.normalized();
        if (up < 0 && down < 0) return behind.normalized();
        const double large = std::max(std::abs(up), std::abs(down));
        const double small = std::min(std::abs(up), std::abs(down));
        const bool rising = energy(k + 1) > energy(k - 1);
        return ((rising ? large : small) * ahead + (rising ? small : large) * behind).normalized();
    }

    /// Of the moving images: the one that climbs.
    std::size_t highest() const {
        std::size_t top = 1;
        for (std::size_t k = 2; k < last(); ++k)
            if (energy(k) > energy(top)) top = k;
        return top;
    }

    /// Forces of the band on its moving images, one after another.
    Eigen::VectorXd band_forces() const {
        const Eigen::Index n = free.size();
        Eigen::VectorXd result(n * static_cast<Eigen::Index>(images.size() - 2));
        for (std::size_t k = 1; k < last(); ++k) {
            const Eigen::VectorXd t = tangent(k);
            const Eigen::VectorXd force = free.gather(evaluations[k].forces);
            auto here = result.segment(static_cast<Eigen::Index>(k - 1) * n, n);
            if (climbing && k == highest())
                here = force - 2 * force.dot(t) * t;
            else
                here = force - force.dot(t) * t +
                       options.spring * (way(k, k + 1, k).norm() - way(k - 1, k, k).norm()) * t;
        }
        return result;
    }

    double largest(const Eigen::VectorXd& vectors) const {
        double result = 0;
        for (Eigen::Index k = 0; k < vectors.size(); k += free.size())
            result = std::max(result, free.largest(vectors.segment(k, free.size())));
        return result;
    }

    bool converged() const {
        return !evaluations.empty() && (climbing || !options.climb) &&
               largest(band_forces()) < options.max_force;
    }

    BandStep state() const {
        if (evaluations.empty()) throw std::logic_error("a band has no state before its first step");
        std::size_t top = highest();
        for (const std::size_t end : {std::size_t{0}, last()})  // of a path that only rises or falls
            if (energy(end) > energy(top)) top = end;
        return {steps, largest(band_forces()), energy(top) - energy(0), static_cast<int>(top), climbing};
    }

    /// A path moved by a displacement of the free coordinates of the moving images.
    std::vector<Structure> moved(Eigen::VectorXd& displacement) const {
        std::vector<Structure> path = images;
        const Eigen::Index n = free.size();
        const double longest = largest(displacement);
        if (longest > step_length) displacement *= step_length / longest;
        for (std::size_t k = 1; k < last(); ++k) {
            auto here = displacement.segment(static_cast<Eigen::Index>(k - 1) * n, n);
            Eigen::Matrix3Xd move = Eigen::Matrix3Xd::Zero(3, images[k].size());
            free.add_to(move, here);
            held.remove(images[k].positions, move);
            here = free.gather(move);
            free.add_to(path[k].positions, here);
        }
        return path;
    }

    void keep_if_best() {
        const double force = largest(band_forces());
        if (force < best.force) {
            best = {force, images, evaluations};
            since_best = 0;
        } else {
            ++since_best;
        }
    }

    void return_to_best() {
        if (evaluations.empty() || largest(band_forces()) <= best.force) return;
        images = best.images;
        evaluations = best.evaluations;
        optimizer.forget();
    }

    BandStep step() {
        if (evaluations.empty()) {
            evaluations = evaluate(images, true);
            keep_if_best();
        }
        if (converged()) return state();
        if (options.climb && !climbing && largest(band_forces()) < options.climb_below) {
            climbing = true;
            optimizer.forget();
            best = {};
            keep_if_best();
        }
        if (since_best >= patience) {
            optimizer.forget();
            step_length = std::max(step_length / 2, options.max_step_length / 8);
            since_best = 0;
        }
        GlobalLbfgs next = optimizer;
        Eigen::VectorXd displacement = next.direction(-band_forces());
        std::vector<Structure> path = moved(displacement);
        next.moved_by(displacement);
        std::vector<Evaluation> there = evaluate(path, false);
        images = std::move(path);
        evaluations = std::move(there);
        optimizer = std::move(next);
        ++steps;
        keep_if_best();
        return state();
    }
};

ElasticBand::ElasticBand(std::vector<Structure> images, const CalculatorFactory& make_calculator, int workers,
                         BandOptions options, Context context)
    : implementation_(std::make_unique<Implementation>(std::move(images), make_calculator, workers, options,
                                                       std::move(context))) {}
ElasticBand::~ElasticBand() = default;
ElasticBand::ElasticBand(ElasticBand&&) noexcept = default;
ElasticBand& ElasticBand::operator=(ElasticBand&&) noexcept = default;

BandStep ElasticBand::step() {
    if (finished()) return state();
    return implementation_->step();
}

bool ElasticBand::run(const std::function<void(const BandStep&)>& observer) {
    while (!finished()) {
        if (implementation_->context.stop_requested()) return false;
        const BandStep now = step();
        if (observer) observer(now);
    }
    return true;
}

bool ElasticBand::converged() const {
    return implementation_->converged();
}

bool ElasticBand::finished() const {
    return converged() || implementation_->steps >= implementation_->options.max_steps;
}

int ElasticBand::steps() const {
    return implementation_->steps;
}

void ElasticBand::return_to_best() {
    implementation_->return_to_best();
}

const std::vector<Structure>& ElasticBand::images() const {
    return implementation_->images;
}

const std::vector<Evaluation>& ElasticBand::evaluations() const {
    return implementation_->evaluations;
}

BandStep ElasticBand::state() const {
    return implementation_->state();
}

BandProfile ElasticBand::profile() const {
    const Implementation& self = *implementation_;
    if (self.evaluations.empty()) throw std::logic_error("a band has no profile before its first step");
    BandProfile profile;
    for (std::size_t k = 0; k < self.images.size(); ++k) {
        profile.length.push_back(k == 0 ? 0 : profile.length.back() + self.way(k - 1, k, k).norm());
        profile.energy.push_back(self.energy(k));
        profile.slope.push_back(-self.free.gather(self.evaluations[k].forces).dot(self.tangent(k)));
    }
    return profile;
}

State ElasticBand::save() const {
    const Implementation& self = *implementation_;
    State state;
    state.put("images", static_cast<std::int64_t>(self.images.size()));
    for (std::size_t k = 0; k < self.images.size(); ++k) {
        const std::string image = fmt::format("image{}", k);
        state.put_all(image + "/structure", state_of(self.images[k]));
        if (!self.evaluations.empty()) state.put_all(image + "/evaluation", state_of(self.evaluations[k]));
        state.put_all(image + "/calculator", self.calculators[k]->save());
        if (!self.best.images.empty()) {
            state.put_all(image + "/best/structure", state_of(self.best.images[k]));
            state.put_all(image + "/best/evaluation", state_of(self.best.evaluations[k]));
        }
    }
    state.put_all("optimizer", self.optimizer.save());
    state.put("steps", std::int64_t{self.steps});
    state.put("climbing", std::int64_t{self.climbing});
    state.put("evaluated", std::int64_t{!self.evaluations.empty()});
    state.put("progress", std::vector<double>{self.step_length, self.best.force});
    state.put("since_best", std::int64_t{self.since_best});
    return state;
}

void ElasticBand::restore(const State& state) {
    Implementation& self = *implementation_;
    if (state.integer("images") != static_cast<std::int64_t>(self.images.size()))
        throw FileError("the checkpoint was written for another number of images");
    const bool evaluated = state.integer("evaluated") != 0;
    self.evaluations.clear();
    self.best = {};
    for (std::size_t k = 0; k < self.images.size(); ++k) {
        const State image = state.part(fmt::format("image{}", k));
        restore_positions(image.part("structure"), self.images[k]);
        if (evaluated) {
            self.evaluations.push_back(evaluation_of(image.part("evaluation")));
            self.best.images.push_back(self.images[k]);
            restore_positions(image.part("best/structure"), self.best.images.back());
            self.best.evaluations.push_back(evaluation_of(image.part("best/evaluation")));
        }
        self.calculators[k]->restore(image.part("calculator"));
    }
    self.optimizer.restore(state.part("optimizer"));
    self.steps = static_cast<int>(state.integer("steps"));
    self.climbing = state.integer("climbing") != 0;
    const auto& progress = state.get<std::vector<double>>("progress");
    if (progress.size() != 2) throw FileError("the checkpoint is not one of an elastic band");
    self.step_length = progress[0];
    self.best.force = progress[1];
    self.since_best = static_cast<int>(state.integer("since_best"));
}

}  // namespace stembridge::md
