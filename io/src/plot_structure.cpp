// SPDX-License-Identifier: Apache-2.0
// A structure from above and from the side.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "plot_layers.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/structure/completed_cell.hpp"
#include "svg.hpp"

namespace stembridge::io {
namespace {

using Point = Eigen::Vector2d;
constexpr double margin_angstrom = 1.0;
constexpr double side_margin_angstrom = 1.1;
constexpr double smallest_ring_label = 9;  // pixels; below that numbers in rings are noise

// What is drawn, in angstrom and brought into the cell along its periodic directions.
struct Scene {
    Eigen::Matrix3Xd positions;
    Eigen::Matrix3Xd wraps;  // displayed minus given position
    Eigen::Matrix3d vectors;
    Eigen::Matrix3d to_fractions;  // along the periodic vectors
    std::array<bool, 3> periodic;
    std::vector<int> atomic_numbers;
    int size() const { return static_cast<int>(positions.cols()); }
    bool repeats() const { return periodic[0] || periodic[1] || periodic[2]; }
};

Scene scene_of(const Structure& structure) {
    const Eigen::Matrix3d to_fractions = completed(structure.cell).vectors.inverse() * units::angstrom;
    Scene scene{structure.positions / units::angstrom,
                Eigen::Matrix3Xd::Zero(3, structure.size()),
                structure.cell.vectors / units::angstrom,
                to_fractions,
                structure.cell.periodic,
                structure.atomic_numbers};
    if (!scene.repeats()) return scene;
    for (int i = 0; i < scene.size(); ++i) {
        const Eigen::Vector3d fraction = scene.to_fractions * scene.positions.col(i);
        for (int k = 0; k < 3; ++k)
            if (scene.periodic[static_cast<std::size_t>(k)])
                scene.wraps.col(i) -= std::floor(fraction[k] + 1e-9) * scene.vectors.col(k);
    }
    scene.positions += scene.wraps;
    return scene;
}

double radius_angstrom(int atomic_number) {
    return std::clamp(0.42 * covalent_radius(atomic_number) / units::angstrom, 0.19, 0.6);
}

// From angstrom to pixels: one of the two Cartesian planes.
struct Projection {
    int horizontal;
    int vertical;
    Point origin;  // angstrom, at the pixel `corner`
    Point corner;  // pixels
    double scale;  // pixels per angstrom
    bool down;     // the vertical coordinate grows downwards

    Point operator()(const Eigen::Vector3d& r) const {
        const double h = (r[horizontal] - origin[0]) * scale;
        const double v = (r[vertical] - origin[1]) * scale;
        return {corner[0] + h, corner[1] + (down ? v : -v)};
    }
};

std::string point(const Point& p) {
    return svg_number(p[0]) + " " + svg_number(p[1]);
}

// Whole bonds as one line; a bond that leaves the cell as its two halves, which the clip cuts at the border.
std::string bonds_path(const StructureView& view, const Scene& scene, const Projection& to_px) {
    std::string path;
    const auto line = [&](const Eigen::Vector3d& a, const Eigen::Vector3d& b) {
        path += fmt::format("M{}L{}", point(to_px(a)), point(to_px(b)));
    };
    for (const Bond& bond : view.bonds) {
        const Eigen::Vector3d r = bond.r_ij / units::angstrom;
        const Eigen::Vector3d a = scene.positions.col(bond.i);
        const Eigen::Vector3d b = scene.positions.col(bond.j);
        if ((b - a - r).norm() < 1e-3) {
            line(a, b);
        } else {
            line(a, a + 0.5 * r);
            line(b, b - 0.5 * r);
        }
    }
    return path;
}

// Corners of a ring in one piece, near where its first atom is displayed.
Eigen::Matrix3Xd ring_corners(const Ring& ring, const Structure& structure, const Scene& scene) {
    return (ring_positions(ring, structure) / units::angstrom).colwise() +
           scene.wraps.col(ring.atoms.front());
}

// The polygon and its images that reach into the cell.
std::vector<Eigen::Matrix3Xd> images_in_cell(const Eigen::Matrix3Xd& polygon, const Scene& scene) {
    std::vector<Eigen::Matrix3Xd> images;
    const Eigen::Matrix3Xd fractions =
        scene.repeats() ? Eigen::Matrix3Xd(scene.to_fractions * polygon) : polygon;
    const auto reaches_in = [&](int axis, int n) {
        if (!scene.periodic[static_cast<std::size_t>(axis)]) return n == 0;
        return fractions.row(axis).minCoeff() + n < 1 - 1e-6 && fractions.row(axis).maxCoeff() + n > 1e-6;
    };
    for (int a = -1; a <= 1; ++a)
        for (int b = -1; b <= 1; ++b)
            if (reaches_in(0, a) && reaches_in(1, b))
                images.push_back(polygon.colwise() + (a * scene.vectors.col(0) + b * scene.vectors.col(1)));
    return images;
}

void draw_rings(std::string& out, const StructureView& view, const Scene& scene, const Projection& to_px) {
    std::map<std::string, std::string> paths;
    std::string labels;
    const double font_size = std::min(14.0, 0.85 * to_px.scale);
    for (const Ring& ring : view.rings) {
        for (const Eigen::Matrix3Xd& corners :
             images_in_cell(ring_corners(ring, view.structure, scene), scene)) {
            std::string& path = paths[ring_class(ring.size())];
            for (Eigen::Index k = 0; k < corners.cols(); ++k)
                path += fmt::format("{}{}", k == 0 ? 'M' : 'L', point(to_px(corners.col(k))));
            path += "Z";
            if (ring.size() == 6 || font_size < smallest_ring_label) continue;
            const Point center = to_px(corners.rowwise().mean());
            labels +=
                fmt::format(R"(<text class="ring-label{}" x="{}" y="{}" style="font-size:{}px">{}</text>)",
                            ring.size() == 8 ? " on-dark" : "", svg_number(center[0]),
                            svg_number(center[1] + 0.36 * font_size), svg_number(font_size), ring.size());
        }
    }
    for (const auto& [css, path] : paths) out += fmt::format(R"(<path class="{}" d="{}"/>)", css, path);
    out += labels;
}

bool any_fixed(const Structure& structure, int atom) {
    return structure.is_fixed(0, atom) || structure.is_fixed(1, atom) || structure.is_fixed(2, atom);
}

void draw_atoms(std::string& out, const StructureView& view, const Scene& scene, const Projection& to_px,
                int depth_axis) {
    // Those farther from the eye first: low z seen from above, far y seen from the front.
    std::vector<int> order(static_cast<std::size_t>(scene.size()));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return scene.positions(depth_axis, a) < scene.positions(depth_axis, b);
    });
    std::string pins;
    const double outline = std::clamp(0.05 * to_px.scale, 0.3, 1.0);
    out += fmt::format(R"(<g stroke-width="{}">)", svg_number(outline));
    const bool few = scene.size() <= 300;
    for (const int i : order) {
        const int z = scene.atomic_numbers[static_cast<std::size_t>(i)];
        const Point at = to_px(scene.positions.col(i));
        out +=
            fmt::format(R"(<circle class="{}" cx="{}" cy="{}" r="{}")", element_class(z), svg_number(at[0]),
                        svg_number(at[1]), svg_number(radius_angstrom(z) * to_px.scale));
        // With many atoms the titles would weigh more than the picture.
        out += few ? fmt::format("><title>{} {}</title></circle>", element_symbol(z), i + 1) : "/>";
        if (any_fixed(view.structure, i))
            pins += fmt::format(R"(<circle class="{}" cx="{}" cy="{}" r="{}"/>)",
                                z == 1 ? "pin-on-light" : "pin", svg_number(at[0]), svg_number(at[1]),
                                svg_number(std::max(0.6, 0.1 * to_px.scale)));
    }
    out += "</g>" + pins;
}

// Fuzzy balls instead of discs: a dot for each atom at each instant. One path per instant, so that dots over
// each other become darker.
void draw_cloud(std::string& out, const StructureView& view, const Scene& scene, const Projection& to_px) {
    const double opacity = std::clamp(6.0 / static_cast<double>(view.snapshots.size()), 0.05, 0.6);
    out += fmt::format(R"(<g stroke-width="{}" stroke-opacity="{}">)",
                       svg_number(std::max(1.2, 0.16 * to_px.scale)), svg_number(opacity));
    for (const Eigen::Matrix3Xd& snapshot : view.snapshots) {
        std::string hydrogen;
        std::string others;
        for (int i = 0; i < scene.size(); ++i)
            (scene.atomic_numbers[static_cast<std::size_t>(i)] == 1 ? hydrogen : others) +=
                fmt::format("M{}h0", point(to_px(snapshot.col(i) / units::angstrom + scene.wraps.col(i))));
        if (!others.empty()) out += fmt::format(R"(<path class="cloud" d="{}"/>)", others);
        if (!hydrogen.empty()) out += fmt::format(R"(<path class="cloud light" d="{}"/>)", hydrogen);
    }
    out += "</g>";
}

// Whether an arrow is so short that the disc of its atom hides it. @param length pixels
bool is_hidden(double length, double scale) {
    return length < std::max(3.0, 0.34 * scale);
}

void draw_arrows(std::string& out, const StructureView& view, const Scene& scene, const Projection& to_px) {
    std::string path;
    for (Eigen::Index i = 0; i < view.displacements.cols(); ++i) {
        const Eigen::Vector3d shift = view.displacement_scale * view.displacements.col(i) / units::angstrom;
        const Point tail = to_px(scene.positions.col(i));
        const Point tip = to_px(scene.positions.col(i) + shift);
        const double length = (tip - tail).norm();
        if (is_hidden(length, to_px.scale)) continue;
        const Point along = (tip - tail) / length;
        const Point across(-along[1], along[0]);
        const double head = std::min(4.5, 0.45 * length);
        path += fmt::format("M{}L{}M{}L{}L{}", point(tail), point(tip),
                            point(tip - head * along + 0.65 * head * across), point(tip),
                            point(tip - head * along - 0.65 * head * across));
    }
    if (!path.empty()) out += fmt::format(R"(<path class="arrow" d="{}"/>)", path);
}

void check(const StructureView& view) {
    const int n = view.structure.size();
    const auto inside = [n](int atom) { return atom >= 0 && atom < n; };
    for (const Bond& bond : view.bonds)
        if (!inside(bond.i) || !inside(bond.j))
            throw InputError(fmt::format("figure '{}': bond {}-{} is outside the {} atoms of the structure",
                                         view.name, bond.i, bond.j, n));
    for (const Ring& ring : view.rings)
        if (ring.size() < 3 || !std::all_of(ring.atoms.begin(), ring.atoms.end(), inside) ||
            ring.images.size() != ring.atoms.size())
            throw InputError(
                fmt::format("figure '{}': a ring has fewer than 3 atoms or one outside the {} atoms "
                            "of the structure",
                            view.name, n));
    if (view.side_structure && view.side_structure->size() != n)
        throw InputError(fmt::format("figure '{}': {} atoms seen from above and {} from the side", view.name,
                                     n, view.side_structure->size()));
    const auto fits = [n](const Eigen::Matrix3Xd& m) { return m.cols() == n; };
    if ((view.displacements.cols() != 0 && !fits(view.displacements)) ||
        !std::all_of(view.snapshots.begin(), view.snapshots.end(), fits))
        throw InputError(
            fmt::format("figure '{}': displacements and snapshots must have {} columns", view.name, n));
}

std::vector<LegendItem> legend_of(const StructureView& view, double scale) {
    std::vector<LegendItem> items;
    std::set<int> elements(view.structure.atomic_numbers.begin(), view.structure.atomic_numbers.end());
    if (!view.snapshots.empty()) elements.clear();
    items.reserve(elements.size());
    for (const int z : elements)
        items.push_back({LegendItem::Kind::disc, element_class(z), element_symbol(z),
                         std::clamp(13 * radius_angstrom(z), 3.0, 7.0)});
    std::map<std::string, std::string> rings;
    for (const Ring& ring : view.rings)
        rings[ring_class(ring.size())] =
            ring_class(ring.size()) == "ring-n" ? "other ring" : fmt::format("{}-ring", ring.size());
    for (const auto& [css, label] : rings) items.push_back({LegendItem::Kind::area, css, label});
    for (int i = 0; i < view.structure.size() && view.snapshots.empty(); ++i)
        if (any_fixed(view.structure, i)) {
            items.push_back({LegendItem::Kind::pinned, element_class(view.structure.atomic_numbers.front()),
                             "held fixed", 5});
            break;
        }
    if (view.displacements.cols() != 0 &&
        !is_hidden(scale * view.displacement_scale / units::angstrom *
                       view.displacements.topRows<2>().colwise().norm().maxCoeff(),
                   scale))
        items.push_back({LegendItem::Kind::arrow, "arrow",
                         view.displacement_scale == 1
                             ? std::string("displacement")
                             : fmt::format("displacement × {:g}", view.displacement_scale)});
    if (!view.snapshots.empty()) {
        items.push_back({LegendItem::Kind::cloud, "cloud", "atoms over time"});
        if (view.structure.count(1) > 0) items.push_back({LegendItem::Kind::cloud, "cloud light", "H"});
    }
    return items;
}

}  // namespace

std::array<double, 4> common_window(const std::vector<const Structure*>& structures) {
    // How far the others may widen the picture on each side, of the size of the first: an atom that flew off
    // must not shrink the rest to a dot.
    constexpr double widening = 0.25;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Eigen::Array2d low = Eigen::Array2d::Constant(infinity), high = -low;
    Eigen::Array2d lowest = high, highest = low;
    for (const Structure* structure : structures) {
        const Scene scene = scene_of(*structure);
        const auto include = [&](const Eigen::Vector3d& r) {
            const Eigen::Array2d at = r.head<2>().array().max(lowest).min(highest);
            low = low.min(at);
            high = high.max(at);
        };
        for (int i = 0; i < scene.size(); ++i) include(scene.positions.col(i));
        if (scene.periodic[0] && scene.periodic[1])
            for (const double a : {0.0, 1.0})
                for (const double b : {0.0, 1.0})
                    include(a * scene.vectors.col(0) + b * scene.vectors.col(1));
        if (structure != structures.front() || !(low <= high).all()) continue;
        const double more = widening * std::max((high - low).maxCoeff(), margin_angstrom);
        lowest = low - more;
        highest = high + more;
    }
    if (!(low <= high).all()) return {0, 1, 0, 1};
    return {low[0] - margin_angstrom, high[0] + margin_angstrom, low[1] - margin_angstrom,
            high[1] + margin_angstrom};
}

namespace {

/// Heights that the view from the side shows, angstrom: all of them, or as many as the picture is wide.
std::pair<double, double> shown_heights(const Scene& scene, double width) {
    const Eigen::RowVectorXd z = scene.positions.row(2);
    std::vector<double> sorted(z.begin(), z.end());
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return {std::max(z.minCoeff() - side_margin_angstrom, *middle - width / 2),
            std::min(z.maxCoeff() + side_margin_angstrom, *middle + width / 2)};
}

}  // namespace

Figure draw(const StructureView& view) {
    check(view);
    const Scene scene = scene_of(view.structure);
    const auto [x_low, x_high, y_low, y_high] =
        view.window_angstrom ? *view.window_angstrom : common_window({&view.structure});
    const double scale = view.width / (x_high - x_low);
    const double bond_width = (view.snapshots.empty() ? 0.13 : 0.06) * scale;

    std::string body;
    double bottom = 0;
    const auto clipped = [&](const std::string& id, const std::string& shape, const std::string& inside) {
        body += fmt::format(
            R"svg(<clipPath id="{0}-{1}"><path d="{2}"/></clipPath><g clip-path="url(#{0}-{1})">{3}</g>)svg",
            view.name, id, shape, inside);
    };
    const auto draw_matter = [&](const StructureView& shown, const Scene& atoms, const Projection& to_px,
                                 int depth_axis) {
        std::string matter;
        if (view.snapshots.empty())
            draw_atoms(matter, shown, atoms, to_px, depth_axis);
        else
            draw_cloud(matter, shown, atoms, to_px);
        return matter;
    };
    if (view.top) {
        const double height = (y_high - y_low) * scale;
        const Projection to_px = {0, 1, {x_low, view.y_down ? y_low : y_high}, {0, 0}, scale, view.y_down};
        const std::string picture = fmt::format("M0 0H{}V{}H0Z", svg_number(view.width), svg_number(height));
        std::string frame = picture, outline;
        if (scene.periodic[0] && scene.periodic[1]) {
            const Eigen::Vector3d a = scene.vectors.col(0);
            const Eigen::Vector3d b = scene.vectors.col(1);
            outline = fmt::format("M{}L{}L{}L{}Z", point(to_px(Eigen::Vector3d::Zero())), point(to_px(a)),
                                  point(to_px(a + b)), point(to_px(b)));
            frame = outline;
        }
        std::string inside;
        draw_rings(inside, view, scene, to_px);
        inside += fmt::format(R"(<path class="bond" stroke-width="{}" d="{}"/>)", svg_number(bond_width),
                              bonds_path(view, scene, to_px));
        clipped("top", frame, inside);
        if (!outline.empty()) body += fmt::format(R"(<path class="cell" d="{}"/>)", outline);
        std::string matter = draw_matter(view, scene, to_px, 2);
        draw_arrows(matter, view, scene, to_px);
        clipped("atoms", picture, matter);
        draw_marks(body, view.marks, std::clamp(0.42 * scale, 5.0, 11.0),
                   [&](const Eigen::Vector3d& r) { return to_px(r / units::angstrom); });
        bottom = height;
    }
    if (view.side && scene.size() > 0) {
        StructureView beside = view;
        if (view.side_structure) {
            beside.structure = *view.side_structure;
            beside.bonds = view.side_bonds;
        }
        const Scene seen = scene_of(beside.structure);
        const auto [z_low, z_high] = shown_heights(seen, x_high - x_low);
        const double top = bottom + 20;
        const double height = (z_high - z_low) * scale;
        const Projection to_px = {0, 2, {x_low, z_high}, {0, top}, scale, false};
        body += fmt::format(R"(<path class="grid" d="M0 {}H{}"/>)", svg_number(bottom + 4),
                            svg_number(view.width));
        std::string inside = fmt::format(R"(<path class="bond" stroke-width="{}" d="{}"/>)",
                                         svg_number(bond_width), bonds_path(beside, seen, to_px));
        clipped(
            "side",
            fmt::format("M0 {}H{}V{}H0Z", svg_number(top), svg_number(view.width), svg_number(top + height)),
            inside + draw_matter(beside, seen, to_px, 1));
        body += fmt::format(R"(<text x="0" y="{}">from the side{}</text>)", svg_number(bottom + 18),
                            view.side_structure ? ", displaced" : "");
        bottom = top + height;
    }
    if (view.legend) {
        const double bar_angstrom = nice_length(0.22 * (x_high - x_low));
        const double bar_px = bar_angstrom * scale;
        bottom += 16;
        body += fmt::format(R"(<path class="scale" d="M2 {}h{}"/><text class="key" x="{}" y="{}">{}</text>)",
                            svg_number(bottom), svg_number(bar_px), svg_number(bar_px + 10),
                            svg_number(bottom + 4), length_label(bar_angstrom));
        bottom += 22;
        bottom += draw_legend(body, legend_of(view, scale), 0, bottom, view.width) - 1;
        bottom += draw_color_bar(body, view.marks, view.marks_label, bottom, view.width);
    }
    return {view.name, view.caption, svg_open(view.width, bottom, view.caption) + body + "</svg>", view.width,
            bottom};
}

}  // namespace stembridge::io
