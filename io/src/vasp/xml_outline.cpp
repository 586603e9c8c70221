// SPDX-License-Identifier: Apache-2.0
#include "vasp/xml_outline.hpp"

#include <algorithm>

#include "vasp/readers.hpp"

namespace stembridge::io {
namespace {

constexpr std::size_t deepest = 64;

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
}

struct Element {
    std::string_view name;
    std::size_t begin = 0;
};

}  // namespace

XmlOutline outline_xml(std::string_view text, std::string_view root) {
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
        throw_damage(text, zero, "zero bytes, which no run writes (a disk or file system error)");
    XmlOutline outline;
    std::vector<Element> open;
    std::size_t at = 0;
    while ((at = text.find('<', at)) != std::string_view::npos) {
        const std::size_t begin = at;
        if (text.substr(begin).starts_with("<!--")) {
            at = text.find("-->", begin);
            if (at == std::string_view::npos) break;
            continue;
        }
        const std::size_t end = text.find('>', begin);
        if (end == std::string_view::npos) break;  // cut off inside a tag
        std::string_view tag = text.substr(begin + 1, end - begin - 1);
        at = end + 1;
        if (tag.starts_with('?') || tag.starts_with('!')) continue;
        const bool closing = tag.starts_with('/');
        if (closing) tag.remove_prefix(1);
        const auto name_end = std::find_if_not(tag.begin(), tag.end(), is_name_character);
        const std::string_view name = tag.substr(0, static_cast<std::size_t>(name_end - tag.begin()));
        if (name.empty() || tag.find('<') != std::string_view::npos)
            throw_damage(text, begin, "a '<' that begins no tag (several programs wrote into one file?)");
        if (outline.closed)
            throw_damage(text, begin, fmt::format("<{}> behind the end of the file's root", name));
        if (closing) {
            if (open.empty() || open.back().name != name)
                throw_damage(text, begin,
                             fmt::format("</{}> closes <{}> (several programs wrote into one file?)", name,
                                         open.empty() ? "nothing" : open.back().name));
            if (open.size() == 2)
                outline.sections.push_back({name, text.substr(open.back().begin, at - open.back().begin)});
            open.pop_back();
            outline.closed = open.empty();
            continue;
        }
        if (open.empty() && name != root)
            throw_damage(text, begin, fmt::format("the file begins with <{}>, expected <{}>", name, root));
        if (open.size() >= 2 && name == "calculation")
            throw_damage(text, begin,
                         fmt::format("<calculation> inside <{}> (several programs wrote into one file?)",
                                     open.back().name));
        if (tag.ends_with('/')) continue;
        if (open.size() >= deepest) throw_damage(text, begin, "tags nest deeper than in any vasprun.xml");
        open.push_back({name, begin});
    }
    if (open.size() >= 2) outline.open_section = text.substr(open[1].begin);
    return outline;
}

}  // namespace stembridge::io
