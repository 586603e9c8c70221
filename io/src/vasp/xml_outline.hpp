// SPDX-License-Identifier: Apache-2.0
// The outer structure of an XML file that may end anywhere.
#pragma once

#include <string_view>
#include <vector>

namespace stembridge::io {

/// A child of the root element.
struct XmlSection {
    std::string_view name;
    std::string_view text;  ///< from its opening tag to behind its closing tag
};

struct XmlOutline {
    std::vector<XmlSection> sections;  ///< the complete ones
    std::string_view open_section;     ///< text of the child that is cut off, or empty
    bool closed = false;               ///< whether the root element ends
};

/// Follows the tags of a text with one root element.
/// @throw Damage when tags do not nest (several writers in one file), bytes are zero, or something follows
/// the root
XmlOutline outline_xml(std::string_view text, std::string_view root);

}  // namespace stembridge::io
