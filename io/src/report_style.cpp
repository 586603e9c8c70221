// SPDX-License-Identifier: Apache-2.0
// How the report looks and what little it does when touched.
#include <fmt/format.h>

#include "report_parts.hpp"
#include "report_web.hpp"

namespace stembridge::io {
namespace {

constexpr std::string_view light_colors =
    "--ground:#ffffff;--ink:#1d2329;--soft:#5a646e;--faint:#a9b1b8;--line:#e3e7ea;--panel:#f5f7f8;--accent:#"
    "1f6fb2;"
    "--good:#178a6a;--warn:#c56a00;--warn-ground:#fdf4e7;--bad:#bf2f4b";
constexpr std::string_view dark_colors =
    "--ground:#15191d;--ink:#e8ebee;--soft:#a5aeb7;--faint:#5f6a74;--line:#2b3238;--panel:#1d2329;--accent:#"
    "6cb2eb;"
    "--good:#56c5a2;--warn:#f2a65a;--warn-ground:#2a2219;--bad:#f07f93";

}  // namespace

std::string page_css() {
    return fmt::format(
        ":root{{color-scheme:light dark;{}}}\n{}@media screen and "
        "(prefers-color-scheme:dark){{\n:root{{{}}}\n{}}}\n{}",
        light_colors, figure_css(false), dark_colors, figure_css(true), web::page_css);
}

std::string_view page_script() {
    return web::page_js;
}

}  // namespace stembridge::io
