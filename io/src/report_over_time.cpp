// SPDX-License-Identifier: Apache-2.0
// The part of the page that shows what happened during dynamics.
#include <fmt/format.h>

#include "report_parts.hpp"

namespace stembridge::io {
namespace {

using Row = std::vector<std::string>;

std::string table_of(const Row& head, const std::vector<Row>& rows) {
    if (rows.empty()) return "";
    std::string html = "<div class=\"scroll\"><table>";
    if (!head.empty()) {
        html += "<thead><tr>";
        for (std::size_t k = 0; k < head.size(); ++k)
            html += fmt::format("<th scope=\"col\"{}>{}</th>", k > 0 ? " class=\"number\"" : "",
                                escape_markup(head[k]));
        html += "</tr></thead>";
    }
    html += "<tbody>";
    for (const Row& row : rows) {
        html += fmt::format("<tr><th scope=\"row\">{}</th>", escape_markup(row[0]));
        for (std::size_t k = 1; k < row.size(); ++k)
            html += fmt::format("<td class=\"number\">{}</td>", escape_markup(row[k]));
        html += "</tr>";
    }
    return html + "</tbody></table></div>";
}

}  // namespace

std::string over_time_html(const ReportDynamics& run, std::size_t index, const Figures& figures) {
    if (run.over_time.empty() && run.facts.empty()) return "";
    std::string left, right;
    for (std::size_t k = 0; k < run.over_time.size(); ++k) {
        const auto found = figures.find(dynamics_figure(run.over_time[k].name, index));
        if (found == figures.end()) continue;
        (k % 2 == 0 ? left : right) += fmt::format(
            "<figure id=\"figure-{}\"><div class=\"art\">{}</div><figcaption>{}.</figcaption></figure>",
            found->first, found->second.svg, escape_markup(found->second.caption));
    }
    constexpr std::size_t most_rows = 20;
    std::vector<Row> defects = run.defects;
    const bool cut = defects.size() > most_rows;
    if (cut) defects.resize(most_rows);
    left += table_of({}, run.facts);
    right += table_of({"defect", "appeared / fs", "last seen / fs", ""}, defects);
    if (cut)
        right += fmt::format("<p>{} more in <code>defects.csv</code>.</p>", run.defects.size() - most_rows);
    std::string notes;
    for (const std::string& note : run.notes) notes += "<li>" + escape_markup(note) + "</li>";
    if (!notes.empty()) notes = "<ul class=\"messages\">" + notes + "</ul>";
    return fmt::format(
        "<details{}><summary>Over time: rings, defects, bonds, displacements, vibrations</summary>"
        "<div class=\"columns\"><div>{}</div><div>{}</div></div>{}</details>",
        index == 0 ? " open" : "", left, right, notes);
}

}  // namespace stembridge::io
