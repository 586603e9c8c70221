// SPDX-License-Identifier: Apache-2.0
// Drift of the view, assignment of detections to tracks, and what became of every atom.
#include "stembridge/ml/track_atoms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "filters.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::ml {
namespace {

using Vector = Eigen::Vector2d;
using Points = std::vector<Vector>;

/// position in the first view = stretch * position + shift
struct ViewMap {
    Eigen::Matrix2d stretch = Eigen::Matrix2d::Identity();
    Vector shift = Vector::Zero();
    Vector operator()(const Vector& p) const { return stretch * p + shift; }
};

struct LiveTrack {
    int id = 0;
    Vector position;  ///< running mean of where it was seen
    int last_seen = 0;
    int element = 0;  ///< confirmed
    int other = 0;    ///< an element that was seen instead, and how often in a row
    int other_count = 0;
    int other_since = 0;
};

struct Pair {
    int track;
    int atom;
};

Vector position_of(const Detection& atom) {
    return {atom.x_angstrom, atom.y_angstrom};
}

/// How much a pair of like atoms says about the drift: rare elements say more. -log(share) of the element.
std::map<int, double> information(const Detections& atoms) {
    std::map<int, double> count, result;
    for (const Detection& atom : atoms) ++count[atom.atomic_number];
    for (const auto& [element, n] : count)
        result[element] = 1 + std::log(static_cast<double>(atoms.size()) / n);
    return result;
}

/// How well a shift fits: of the tracks that it leaves in view, the mean information of those that find an
/// atom of their element within the gate. 0 when it leaves less than a third in view.
double agreement(const std::vector<LiveTrack>& tracks, const Detections& atoms, const Points& moved,
                 const NeighborBins& bins, const Vector& shift, double gate,
                 const std::map<int, double>& weight) {
    Vector low = moved.front(), high = low;
    for (const Vector& p : moved) {
        low = low.cwiseMin(p);
        high = high.cwiseMax(p);
    }
    double sum = 0;
    std::size_t in_view = 0;
    std::vector<int> near;
    for (const LiveTrack& track : tracks) {
        const Vector target = track.position - shift;
        if ((target - low).minCoeff() < 0 || (high - target).minCoeff() < 0) continue;
        ++in_view;
        bins.within(target, gate, near);
        double best = 0;
        for (const int j : near) {
            const auto i = static_cast<std::size_t>(j);
            if (atoms[i].atomic_number != track.element) continue;
            const double closeness = 1 - (moved[i] - target).squaredNorm() / (gate * gate);
            best = std::max(best, closeness * weight.at(atoms[i].atomic_number));
        }
        sum += best;
    }
    return 3 * in_view < tracks.size() ? 0 : sum / static_cast<double>(in_view);
}

/// The shift of the view since the last frame: the fullest places in the histogram of all differences, the
/// one of them with the largest overlap. A lattice repeats itself: of equal ones the smallest shift.
Vector drift(const std::vector<LiveTrack>& tracks, const Detections& atoms, const Points& moved,
             const TrackOptions& options) {
    const double bin = 0.25, most = options.largest_drift_angstrom;
    const int side = 2 * static_cast<int>(std::ceil(most / bin)) + 3;
    Pixels votes = Pixels::Zero(side, side);
    const NeighborBins wide(moved, most);
    std::vector<int> near;
    for (const LiveTrack& track : tracks) {
        wide.within(track.position, most, near);
        for (const int j : near) {
            const Vector d = (track.position - moved[static_cast<std::size_t>(j)]) / bin;
            votes(static_cast<int>(std::lround(d.y())) + side / 2,
                  static_cast<int>(std::lround(d.x())) + side / 2) += 1;
        }
    }
    constexpr std::size_t candidates = 40;
    std::vector<Maximum> places = local_maxima(gaussian_blur(votes, 1.0), 0.0, 0.6 / bin);
    if (places.size() > candidates) places.resize(candidates);
    const NeighborBins bins(moved, options.gate_angstrom);
    const auto weight = information(atoms);
    Vector best = Vector::Zero();
    double best_score = agreement(tracks, atoms, moved, bins, best, options.gate_angstrom, weight);
    for (const Maximum& place : places) {
        const Vector shift = bin * Vector(place.x - side / 2, place.y - side / 2);
        const double score = agreement(tracks, atoms, moved, bins, shift, options.gate_angstrom, weight) *
                             (1 - 0.02 * shift.norm() / most);
        if (score > best_score) {
            best_score = score;
            best = shift;
        }
    }
    return best;
}

/// Pairs of a track and an atom that are each other's nearest within a distance.
std::vector<Pair> mutual_nearest(const std::vector<LiveTrack>& tracks, const Points& atoms, double distance) {
    Points places;
    for (const LiveTrack& track : tracks) places.push_back(track.position);
    const auto nearest = [&](const NeighborBins& bins, const Points& points, const Vector& p) {
        std::vector<int> near;
        bins.within(p, distance, near);
        const auto closer = [&](int a, int b) {
            return (points[static_cast<std::size_t>(a)] - p).squaredNorm() <
                   (points[static_cast<std::size_t>(b)] - p).squaredNorm();
        };
        return near.empty() ? -1 : *std::min_element(near.begin(), near.end(), closer);
    };
    const NeighborBins atom_bins(atoms, distance), track_bins(places, distance);
    std::vector<Pair> pairs;
    for (std::size_t t = 0; t < places.size(); ++t) {
        const int atom = nearest(atom_bins, atoms, places[t]);
        if (atom >= 0 &&
            nearest(track_bins, places, atoms[static_cast<std::size_t>(atom)]) == static_cast<int>(t))
            pairs.push_back({static_cast<int>(t), atom});
    }
    return pairs;
}

/// Least squares of the map that takes atoms to their tracks; a shift alone when there are few pairs.
ViewMap fitted_map(const std::vector<LiveTrack>& tracks, const Detections& atoms,
                   const std::vector<Pair>& pairs, const ViewMap& start) {
    constexpr std::size_t enough = 30;
    if (pairs.empty()) return start;
    Vector from = Vector::Zero(), to = Vector::Zero();
    for (const Pair& pair : pairs) {
        from += position_of(atoms[static_cast<std::size_t>(pair.atom)]);
        to += tracks[static_cast<std::size_t>(pair.track)].position;
    }
    from /= static_cast<double>(pairs.size());
    to /= static_cast<double>(pairs.size());
    ViewMap map = start;
    if (pairs.size() >= enough) {
        Eigen::Matrix2d cross = Eigen::Matrix2d::Zero(), squares = cross;
        for (const Pair& pair : pairs) {
            const Vector p = position_of(atoms[static_cast<std::size_t>(pair.atom)]) - from;
            cross += (tracks[static_cast<std::size_t>(pair.track)].position - to) * p.transpose();
            squares += p * p.transpose();
        }
        const Eigen::Matrix2d stretch = cross * squares.inverse();
        // A view turns and stretches by a few per cent at most; anything else is a fit of nothing.
        if ((stretch - Eigen::Matrix2d::Identity()).norm() < 0.1) map.stretch = stretch;
    }
    map.shift = to - map.stretch * from;
    return map;
}

Points mapped(const Detections& atoms, const ViewMap& map) {
    Points points;
    for (const Detection& atom : atoms) points.push_back(map(position_of(atom)));
    return points;
}

/// Pairs with the least sum of squared distances (unlike elements cost more), each within the gate. What can
/// reach each other forms small groups, and every group is solved on its own.
std::vector<Pair> assign(const std::vector<LiveTrack>& tracks, const Detections& atoms, const Points& moved,
                         const TrackOptions& options) {
    const double gate2 = options.gate_angstrom * options.gate_angstrom;
    const std::size_t n = tracks.size();
    std::vector<int> group(n + atoms.size());
    std::iota(group.begin(), group.end(), 0);
    const auto root = [&](int i) {
        while (group[static_cast<std::size_t>(i)] != i)
            i = group[static_cast<std::size_t>(i)] =
                group[static_cast<std::size_t>(group[static_cast<std::size_t>(i)])];
        return i;
    };
    const NeighborBins bins(moved, options.gate_angstrom);
    std::vector<int> near;
    for (std::size_t t = 0; t < n; ++t) {
        bins.within(tracks[t].position, options.gate_angstrom, near);
        for (const int a : near)
            group[static_cast<std::size_t>(root(static_cast<int>(n) + a))] = root(static_cast<int>(t));
    }
    std::map<int, std::pair<std::vector<int>, std::vector<int>>> groups;
    for (std::size_t t = 0; t < n; ++t)
        groups[root(static_cast<int>(t))].first.push_back(static_cast<int>(t));
    for (std::size_t a = 0; a < atoms.size(); ++a)
        groups[root(static_cast<int>(n + a))].second.push_back(static_cast<int>(a));

    std::vector<Pair> pairs;
    for (const auto& [key, members] : groups) {
        const auto& [group_tracks, group_atoms] = members;
        if (group_tracks.empty() || group_atoms.empty()) continue;
        const auto rows = static_cast<Eigen::Index>(group_tracks.size()),
                   columns = static_cast<Eigen::Index>(group_atoms.size());
        // One more column per track: to stay without an atom, at the price of the gate.
        Eigen::MatrixXd cost = Eigen::MatrixXd::Constant(rows, columns + rows, 1.0);
        for (Eigen::Index i = 0; i < rows; ++i)
            for (Eigen::Index j = 0; j < columns; ++j) {
                const LiveTrack& track =
                    tracks[static_cast<std::size_t>(group_tracks[static_cast<std::size_t>(i)])];
                const auto atom = static_cast<std::size_t>(group_atoms[static_cast<std::size_t>(j)]);
                const double distance2 = (track.position - moved[atom]).squaredNorm() / gate2;
                const bool unlike = atoms[atom].atomic_number != track.element;
                // Beyond the gate: never better than staying alone.
                cost(i, j) = distance2 > 1 ? 2.0
                                           : distance2 * (1 - options.element_penalty) +
                                                 (unlike ? options.element_penalty : 0.0);
            }
        const std::vector<int> column = cheapest_assignment(cost);
        for (Eigen::Index i = 0; i < rows; ++i) {
            const int j = column[static_cast<std::size_t>(i)];
            if (j < columns && cost(i, j) <= 1)
                pairs.push_back(
                    {group_tracks[static_cast<std::size_t>(i)], group_atoms[static_cast<std::size_t>(j)]});
        }
    }
    return pairs;
}

class Tracker {
  public:
    Tracker(const std::vector<FrameAtoms>& frames, const TrackOptions& options)
        : frames_(frames), options_(options) {}

    void add(int frame) {
        const FrameAtoms& view = frames_[static_cast<std::size_t>(frame)];
        const Detections& atoms = view.atoms;
        if (is_usable(view)) usable_.push_back(frame);
        if (!live_.empty() && !atoms.empty()) {
            map_.shift += drift(live_, atoms, mapped(atoms, map_), options_);
            for (const double reach : {options_.gate_angstrom, 0.7 * options_.gate_angstrom})
                map_ = fitted_map(live_, atoms, mutual_nearest(live_, mapped(atoms, map_), reach), map_);
        }
        maps_.push_back(map_);
        const Points moved = mapped(atoms, map_);
        std::vector<char> taken(atoms.size(), 0);
        const std::vector<Pair> pairs = assign(live_, atoms, moved, options_);
        for (const Pair& pair : pairs) {
            taken[static_cast<std::size_t>(pair.atom)] = 1;
            see(live_[static_cast<std::size_t>(pair.track)], frame, pair.atom,
                moved[static_cast<std::size_t>(pair.atom)]);
        }
        matched_.push_back(static_cast<int>(pairs.size()));
        for (std::size_t a = 0; a < atoms.size(); ++a) {
            if (taken[a]) continue;
            LiveTrack track;
            track.id = static_cast<int>(tracks_.size());
            track.position = moved[a];
            track.element = atoms[a].atomic_number;
            track.last_seen = frame;
            tracks_.emplace_back().points.push_back({frame, static_cast<int>(a), moved[a]});
            live_.push_back(track);
        }
        // What has not been seen for too long is gone; frames that could not be used say nothing.
        std::erase_if(live_, [&](const LiveTrack& track) {
            if (usable_between(track.last_seen, frame + 1) <= options_.memory + 1) return false;
            end(track);
            return true;
        });
    }

    Tracking finish() {
        Tracking result;
        for (std::size_t t = 0; t < tracks_.size(); ++t) {
            const Track& track = tracks_[t];
            const TrackPoint& first = track.points.front();
            // It may have been there from the start, and missed.
            const int missed_before = usable_between(0, first.frame);
            if (missed_before <= options_.memory || !confirmed(track)) continue;
            const auto since = static_cast<std::size_t>(missed_before - 1 - options_.memory);
            const auto kind = near_border(first.position, usable_[since], first.frame)
                                  ? TrackEvent::Kind::entered
                                  : TrackEvent::Kind::appeared;
            events_.push_back({kind, static_cast<int>(t), first.frame, first.position, 0,
                               frames_[static_cast<std::size_t>(first.frame)]
                                   .atoms[static_cast<std::size_t>(first.index)]
                                   .atomic_number});
        }
        std::stable_sort(events_.begin(), events_.end(),
                         [](const TrackEvent& a, const TrackEvent& b) { return a.frame < b.frame; });
        for (const ViewMap& map : maps_) {
            result.shift_angstrom.push_back(map.shift);
            result.stretch.push_back(map.stretch);
        }
        double squares = 0;
        std::int64_t steps = 0;
        for (const Track& track : tracks_)
            for (std::size_t i = 1; i < track.points.size(); ++i) {
                if (track.points[i].frame != track.points[i - 1].frame + 1) continue;
                squares += (track.points[i].position - track.points[i - 1].position).squaredNorm() / 2;
                ++steps;
            }
        result.step_rms_angstrom = steps > 0 ? std::sqrt(squares / static_cast<double>(steps)) : 0;
        result.tracks = std::move(tracks_);
        result.events = std::move(events_);
        result.matched = std::move(matched_);
        return result;
    }

  private:
    static bool is_usable(const FrameAtoms& view) { return view.width_px > 0 || !view.atoms.empty(); }
    /// Frames from one on and before another that could be used.
    int usable_between(int first, int end) const {
        return static_cast<int>(std::lower_bound(usable_.begin(), usable_.end(), end) -
                                std::lower_bound(usable_.begin(), usable_.end(), first));
    }
    bool confirmed(const Track& track) const {
        return static_cast<int>(track.points.size()) >= options_.confirmed_after;
    }
    /// Whether a place of the first view is outside of one of these frames or near to its border.
    bool near_border(const Vector& position, int first, int last) const {
        for (int frame = first; frame <= last; ++frame)
            if (near_border(position, frame)) return true;
        return false;
    }
    bool near_border(const Vector& position, int frame) const {
        const FrameAtoms& view = frames_[static_cast<std::size_t>(frame)];
        if (view.width_px <= 0) return false;
        const ViewMap& map = maps_[static_cast<std::size_t>(frame)];
        const Vector p = view.angstrom_per_pixel.inverse() * map.stretch.inverse() * (position - map.shift);
        const double b =
            options_.border_angstrom / std::sqrt(std::abs(view.angstrom_per_pixel.determinant()));
        return p.x() < b || p.y() < b || p.x() > view.width_px - 1 - b || p.y() > view.height_px - 1 - b;
    }

    void see(LiveTrack& track, int frame, int atom, const Vector& position) {
        tracks_[static_cast<std::size_t>(track.id)].points.push_back({frame, atom, position});
        track.position = 0.5 * (track.position + position);
        track.last_seen = frame;
        const int element =
            frames_[static_cast<std::size_t>(frame)].atoms[static_cast<std::size_t>(atom)].atomic_number;
        if (element == track.element) {
            track.other_count = 0;
            return;
        }
        // One frame with another element can be an error; as many as confirm an atom are a change.
        if (track.other_count == 0 || track.other != element) {
            track.other = element;
            track.other_count = 0;
            track.other_since = frame;
        }
        if (++track.other_count < options_.confirmed_after) return;
        events_.push_back(
            {TrackEvent::Kind::changed, track.id, track.other_since, position, track.element, element});
        track.element = element;
        track.other_count = 0;
    }

    /// The atom has been missed for longer than memory lasts: it is gone since the usable frame after the
    /// last one that shows it.
    void end(const LiveTrack& track) {
        if (!confirmed(tracks_[static_cast<std::size_t>(track.id)])) return;
        const auto next = std::upper_bound(usable_.begin(), usable_.end(), track.last_seen);
        const int frame = *next;
        const auto kind = near_border(track.position, track.last_seen, *(next + options_.memory))
                              ? TrackEvent::Kind::left
                              : TrackEvent::Kind::vanished;
        events_.push_back({kind, track.id, frame, track.position, track.element, 0});
    }

    const std::vector<FrameAtoms>& frames_;
    const TrackOptions& options_;
    ViewMap map_;
    std::vector<ViewMap> maps_;
    std::vector<int> usable_;  ///< frames, rising
    std::vector<LiveTrack> live_;
    std::vector<Track> tracks_;
    std::vector<TrackEvent> events_;
    std::vector<int> matched_;
};

}  // namespace

const char* name_of(TrackEvent::Kind kind) {
    switch (kind) {
        case TrackEvent::Kind::appeared:
            return "appeared";
        case TrackEvent::Kind::vanished:
            return "vanished";
        case TrackEvent::Kind::entered:
            return "entered";
        case TrackEvent::Kind::left:
            return "left";
        case TrackEvent::Kind::changed:
            return "changed";
    }
    return "";
}

std::vector<int> cheapest_assignment(const Eigen::MatrixXd& cost) {
    const auto rows = static_cast<int>(cost.rows()), columns = static_cast<int>(cost.cols());
    if (rows > columns) throw std::logic_error("cheapest_assignment: more rows than columns");
    // Rows enter one by one along the path of least reduced cost c_ij - u_i - v_j >= 0 (shortest augmenting
    // path); row and column 0 stand for "none".
    constexpr double infinite = std::numeric_limits<double>::infinity();
    std::vector<double> u(static_cast<std::size_t>(rows) + 1, 0), v(static_cast<std::size_t>(columns) + 1, 0);
    std::vector<int> row_of(static_cast<std::size_t>(columns) + 1, 0), before(row_of);
    for (int row = 1; row <= rows; ++row) {
        std::vector<double> distance(static_cast<std::size_t>(columns) + 1, infinite);
        std::vector<char> done(static_cast<std::size_t>(columns) + 1, 0);
        row_of[0] = row;
        std::size_t at = 0;
        do {
            done[at] = 1;
            const int i = row_of[at];
            double step = infinite;
            std::size_t next = 0;
            for (std::size_t j = 1; j <= static_cast<std::size_t>(columns); ++j) {
                if (done[j]) continue;
                const double reduced =
                    cost(i - 1, static_cast<Eigen::Index>(j) - 1) - u[static_cast<std::size_t>(i)] - v[j];
                if (reduced < distance[j]) {
                    distance[j] = reduced;
                    before[j] = static_cast<int>(at);
                }
                if (distance[j] < step) {
                    step = distance[j];
                    next = j;
                }
            }
            for (std::size_t j = 0; j <= static_cast<std::size_t>(columns); ++j) {
                if (done[j]) {
                    u[static_cast<std::size_t>(row_of[j])] += step;
                    v[j] -= step;
                } else {
                    distance[j] -= step;
                }
            }
            at = next;
        } while (row_of[at] != 0);
        while (at != 0) {
            const auto previous = static_cast<std::size_t>(before[at]);
            row_of[at] = row_of[previous];
            at = previous;
        }
    }
    std::vector<int> result(static_cast<std::size_t>(rows), -1);
    for (int j = 1; j <= columns; ++j)
        if (row_of[static_cast<std::size_t>(j)] > 0)
            result[static_cast<std::size_t>(row_of[static_cast<std::size_t>(j)]) - 1] = j - 1;
    return result;
}

Tracking track_atoms(const std::vector<FrameAtoms>& frames, const TrackOptions& options,
                     const Context& context) {
    if (!(options.gate_angstrom > 0) || !(options.border_angstrom > 0) ||
        !(options.largest_drift_angstrom > 0))
        throw InputError("tracking: the gate, the border and the largest drift must be positive lengths");
    Tracker tracker(frames, options);
    for (std::size_t frame = 0; frame < frames.size(); ++frame) {
        if (context.stop_requested()) throw StoppedError("stopped while tracking atoms");
        tracker.add(static_cast<int>(frame));
    }
    return tracker.finish();
}

}  // namespace stembridge::ml
