// SPDX-License-Identifier: Apache-2.0
#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "stembridge/io/text_file.hpp"

namespace stembridge::validation {
namespace {

using io::escape_markup;

constexpr std::string_view style = R"css(
:root{color-scheme:light;--ink:#1d2329;--soft:#5a646e;--line:#e3e7ea;--good:#178a6a;--warn:#c56a00;--bad:#bf2f4b;--panel:#f5f7f8}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
main{max-width:1100px;margin:0 auto;padding:clamp(20px,4vw,56px)}
h1,h2{font-family:Charter,"Palatino Linotype",Palatino,Georgia,serif;line-height:1.2;margin:0 0 .4em}
section{border-top:1px solid var(--line);margin-top:38px;padding-top:28px}
.sum{display:flex;flex-wrap:wrap;gap:10px 34px;margin:1.2em 0}
.sum b{font-size:1.7rem;display:block;line-height:1.2}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:7px 14px 7px 0;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400}
thead th{color:var(--soft);font-size:.82rem}
.n{text-align:right;white-space:nowrap}
.v{white-space:nowrap;font-weight:600}
.met{color:var(--good)}.missed,.missing{color:var(--bad)}.shown{color:var(--soft)}
small,.note{color:var(--soft)}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:22px;margin-top:22px}
.pictures figure{margin:0}.pictures svg{width:100%;height:auto;display:block}
figcaption{color:var(--soft);font-size:.86rem}
.how{max-width:46em}
.error{border-left:4px solid var(--bad);padding:8px 16px;background:var(--panel)}
.bar{display:block;width:120px;height:14px}
.facts td{overflow-wrap:anywhere}
.rows tbody th{min-width:11em}
@media(max-width:640px){
.rows thead{display:none}
.rows tr{display:grid;grid-template-columns:1fr 1fr;gap:4px 14px;padding:12px 0;border-bottom:1px solid var(--line)}
.rows th,.rows td{border:0;padding:0}
.rows th,.rows .why{grid-column:1/-1}
.rows th{font-weight:600}
.rows .n{text-align:left}
.rows .n::before{content:attr(data-label);display:block;color:var(--soft);font-size:.82rem;font-weight:400}
.facts th,.facts td{display:block;border:0;padding:0}
.facts td{border-bottom:1px solid var(--line);padding-bottom:8px;margin-bottom:8px}
}
)css";

std::string number(double value) {
    const double a = std::abs(value);
    return a != 0 && a < 0.01 ? fmt::format("{:.2g}", value)
           : a < 10           ? fmt::format("{:.3f}", value)
           : a < 100          ? fmt::format("{:.2f}", value)
                              : fmt::format("{:.1f}", value);
}

const char* word(Verdict verdict) {
    switch (verdict) {
        case Verdict::met:
            return "met";
        case Verdict::missed:
            return "missed";
        case Verdict::shown:
            return "shown";
        case Verdict::missing:
            break;
    }
    return "missing";
}

// Where the value lies about the reference: the grey band is the tolerance, full width twice that.
std::string bar(const Reference& r, double measured) {
    if (!r.value || !r.tolerance || *r.tolerance <= 0) return "";
    const double t = std::clamp((measured - *r.value) / *r.tolerance, -2.0, 2.0);
    return fmt::format(
        R"(<svg class="bar" viewBox="-60 -7 120 14" role="img" aria-label="{:.2f} tolerances off"><path d="M-60 0H60" stroke="#e3e7ea"/><rect x="-29" y="-5" width="58" height="10" fill="#e3e7ea" rx="2"/><path d="M0 -6V6" stroke="#9aa3ab"/><circle cx="{:.1f}" r="4.5" fill="{}"/></svg>)",
        t, 29 * t,
        r.met_by(measured) ? "#178a6a"
        : r.verified       ? "#bf2f4b"
                           : "#c56a00");
}

std::string row_of(const Reference& r, const Outcome& outcome) {
    const Verdict verdict = verdict_of(r, outcome);
    const double* value = nullptr;
    if (outcome.findings)
        if (const auto at = outcome.findings->values.find(r.key); at != outcome.findings->values.end())
            value = &at->second;
    return fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"n v\" data-label=\"this program\">{}</td><td class=\"n\" "
        "data-label=\"reference\">{}{}</td><td>{}</td><td "
        "class=\"{}\">{}</td><td class=\"why\">{}{}{}</td></tr>",
        escape_markup(r.title), value != nullptr ? number(*value) + " " + escape_markup(r.unit) : "–",
        r.value ? number(*r.value) : "–",
        r.tolerance ? fmt::format(" <small>± {}</small>", number(*r.tolerance)) : "",
        value != nullptr ? bar(r, *value) : "", word(verdict), word(verdict), escape_markup(r.source),
        r.verified ? "" : " <small>(unverified: gates nothing)</small>",
        !r.reason.empty() ? "<br><small>" + escape_markup(r.reason) + "</small>"
        : value != nullptr && r.leaves_unexplained(*value)
            ? "<br><small class=\"missed\">outside of the tolerance, and not explained yet</small>"
            : "");
}

std::string section_of(const Outcome& outcome) {
    std::string html =
        fmt::format("<section id=\"{0}\"><h2>{1}</h2>", outcome.c.name, escape_markup(outcome.c.title()));
    if (!outcome.c.description.empty())
        html += fmt::format("<p class=\"how\">{}</p>", escape_markup(outcome.c.description));
    if (!outcome.error.empty())
        html += fmt::format("<p class=\"error\">{}</p>", escape_markup(outcome.error));
    html +=
        "<div class=\"scroll\"><table class=\"rows\"><thead><tr><th></th><th class=\"n\">this "
        "program</th><th "
        "class=\"n\">reference</th><th>within tolerance</th><th></th><th>source</th></tr></thead><tbody>";
    for (const Reference& r : outcome.c.references) html += row_of(r, outcome);
    html += "</tbody></table></div>";
    if (outcome.findings) {
        std::string notes;
        for (const std::string& note : outcome.findings->notes) notes += escape_markup(note) + " · ";
        html += fmt::format("<p class=\"note\">{}{:.0f} s</p>", notes, outcome.findings->seconds);
        if (!outcome.findings->figures.empty()) {
            html += "<div class=\"pictures\">";
            for (const io::Figure& f : outcome.findings->figures)
                html += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>", f.svg,
                                    escape_markup(f.caption));
            html += "</div>";
        }
    }
    return html + "</section>\n";
}

nlohmann::json json_of(const Outcome& outcome) {
    nlohmann::json rows = nlohmann::json::array();
    for (const Reference& r : outcome.c.references) {
        nlohmann::json row = {{"key", r.key},
                              {"title", r.title},
                              {"unit", r.unit},
                              {"source", r.source},
                              {"verified", r.verified},
                              {"reason", r.reason},
                              {"verdict", word(verdict_of(r, outcome))}};
        row["reference"] = r.value ? nlohmann::json(*r.value) : nlohmann::json();
        row["tolerance"] = r.tolerance ? nlohmann::json(*r.tolerance) : nlohmann::json();
        if (outcome.findings && outcome.findings->values.count(r.key) != 0)
            row["value"] = outcome.findings->values.at(r.key);
        rows.push_back(std::move(row));
    }
    nlohmann::json out = {{"name", outcome.c.name}, {"title", outcome.c.title()}, {"rows", rows}};
    if (outcome.findings) {
        out["values"] = outcome.findings->values;
        out["notes"] = outcome.findings->notes;
        out["seconds"] = outcome.findings->seconds;
    }
    if (!outcome.error.empty()) out["error"] = outcome.error;
    return out;
}

}  // namespace

Verdict verdict_of(const Reference& reference, const Outcome& outcome) {
    if (!outcome.findings || outcome.findings->values.count(reference.key) == 0) return Verdict::missing;
    if (!reference.gates()) return Verdict::shown;
    return reference.met_by(outcome.findings->values.at(reference.key)) ? Verdict::met : Verdict::missed;
}

int count_failures(const std::vector<Outcome>& outcomes) {
    int n = 0;
    for (const Outcome& outcome : outcomes)
        for (const Reference& r : outcome.c.references) {
            const Verdict verdict = verdict_of(r, outcome);
            if (verdict == Verdict::missed || verdict == Verdict::missing) ++n;
        }
    return n;
}

int count_unexplained(const std::vector<Outcome>& outcomes) {
    int n = 0;
    for (const Outcome& outcome : outcomes)
        for (const Reference& r : outcome.c.references)
            if (outcome.findings && outcome.findings->values.count(r.key) != 0 &&
                r.leaves_unexplained(outcome.findings->values.at(r.key)))
                ++n;
    return n;
}

void write_validation(const std::filesystem::path& folder, const std::vector<Outcome>& outcomes,
                      const std::vector<std::pair<std::string, std::string>>& facts) {
    std::map<Verdict, int> counts;
    nlohmann::json cases = nlohmann::json::array();
    std::string sections;
    for (const Outcome& outcome : outcomes) {
        for (const Reference& r : outcome.c.references) ++counts[verdict_of(r, outcome)];
        cases.push_back(json_of(outcome));
        sections += section_of(outcome);
    }
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"><title>stembridge validation</title><style>{}{}"
        "</style></head><body><main><h1>Validation</h1><p class=\"note\">Every number of this page was "
        "computed by this program; beside it stand published ones with their source. Rows whose source was "
        "not read, or that have no tolerance, are shown and gate nothing.</p>",
        style, io::figure_css());
    html += "<div class=\"sum\">";
    for (const Verdict v : {Verdict::met, Verdict::missed, Verdict::shown, Verdict::missing})
        if (counts[v] > 0) html += fmt::format("<div class=\"{0}\"><b>{1}</b>{0}</div>", word(v), counts[v]);
    html += "</div>" + sections + "<section><table class=\"facts\"><tbody>";
    for (const auto& [name, value] : facts)
        html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escape_markup(name),
                            escape_markup(value));
    html += "</tbody></table></section></main></body></html>\n";
    nlohmann::json all = {{"cases", cases}};
    for (const auto& [name, value] : facts) all["facts"][name] = value;
    io::write_text_atomically(folder / "validation.json", all.dump(1) + "\n");
    io::write_text_atomically(folder / "index.html", html);
}

}  // namespace stembridge::validation
