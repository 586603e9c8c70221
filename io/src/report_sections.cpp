// SPDX-License-Identifier: Apache-2.0
// Sections of the report that studies bring with them.
#include <fmt/format.h>

#include "report_parts.hpp"

namespace stembridge::io {
namespace {

std::string table_of(const ReportTable& table) {
    if (table.rows.empty()) return "";
    std::string html = "<div class=\"scroll\"><table>";
    const auto row_of = [](const std::vector<std::string>& cells, const char* first, const char* others) {
        std::string row = "<tr>";
        for (std::size_t k = 0; k < cells.size(); ++k)
            row += fmt::format("<{}>{}</{}>", k == 0 ? first : others, escape_markup(cells[k]),
                               std::string(k == 0 ? first : others).substr(0, 2));
        return row + "</tr>";
    };
    if (!table.head.empty())
        html += "<thead>" + row_of(table.head, "th scope=\"col\"", "th scope=\"col\" class=\"number\"") +
                "</thead>";
    html += "<tbody>";
    for (const auto& row : table.rows) html += row_of(row, "th scope=\"row\"", "td class=\"number\"");
    return html + "</tbody></table></div>";
}

std::string block_of(const ReportBlock& block) {
    std::string html = "<div class=\"block\">";
    if (!block.title.empty()) html += fmt::format("<h3>{}</h3>", escape_markup(block.title));
    if (block.figure)
        html += fmt::format("<figure id=\"figure-{}\"><div class=\"art\">{}</div>{}</figure>",
                            block.figure->name, block.figure->svg,
                            block.caption.empty()
                                ? ""
                                : fmt::format("<figcaption>{}</figcaption>", escape_markup(block.caption)));
    if (block.table) html += table_of(*block.table);
    if (!block.lines.empty()) {
        html += "<ul class=\"messages\">";
        for (const std::string& line : block.lines) html += fmt::format("<li>{}</li>", escape_markup(line));
        html += "</ul>";
    }
    return html + "</div>";
}

}  // namespace

std::string study_sections(const ReportData& data, bool early) {
    std::string html;
    for (const ReportSection& section : data.sections) {
        if (section.early != early) continue;
        html += fmt::format("<section id=\"{}\"><h2>{}</h2>", section.id, escape_markup(section.title));
        if (!section.lead.empty())
            html += fmt::format("<p class=\"lead\">{}</p>", escape_markup(section.lead));
        // Wide blocks stand alone, the others side by side in the order they come in.
        bool open = false;
        for (const ReportBlock& block : section.blocks) {
            if (block.wide == open) html += block.wide ? "</div>" : "<div class=\"columns\">";
            if (block.wide == open) open = !open;
            html += block_of(block);
        }
        if (open) html += "</div>";
        html += "</section>\n";
    }
    return html;
}

}  // namespace stembridge::io
