// SPDX-License-Identifier: Apache-2.0
// Lines and words of text files, with the place in every message.
#pragma once

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stembridge/base/text.hpp"

namespace stembridge::io {

/// Walks over the lines of a text. Ends of lines are LF or CRLF.
class LineReader {
  public:
    LineReader(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}

    /// The next line, or nothing at the end.
    std::optional<std::string_view> next();
    /// The next line. @throw FileError at the end, saying what was expected
    std::string_view expect(std::string_view what);
    /// Whether only blank lines follow.
    bool only_blanks_follow() const;
    /// Whether the line that was given last had an end of line.
    bool ended_with_newline() const { return position_ > 0 && text_[position_ - 1] == '\n'; }
    /// Number of the line that was given last, from 1.
    std::int64_t number() const { return number_; }
    /// Bytes given so far.
    std::size_t position() const { return position_; }
    std::size_t bytes_left() const { return text_.size() - position_; }
    const std::string& name() const { return name_; }
    /// @throw FileError "file:line: what"
    [[noreturn]] void fail(const std::string& what) const;

  private:
    std::string_view text_;
    std::string name_;
    std::size_t position_ = 0;
    std::int64_t number_ = 0;
};

/// The words of a line between blanks, tabs and, if given, another separator.
std::vector<std::string_view> words(std::string_view line, char separator = ' ');

std::string lower_case(std::string_view text);

/// A number that fills the whole word, if it is one. NaN and infinities are none.
std::optional<double> to_number(std::string_view word);
std::optional<std::int64_t> to_integer(std::string_view word);

/// A number. @throw FileError at the reader's line, saying what it was for
double number(const LineReader& lines, std::string_view word, std::string_view what);
std::int64_t integer(const LineReader& lines, std::string_view word, std::string_view what);

/// Atomic number of a symbol; labels such as "Fe_pv" or "C/4b5" count as their element. @throw FileError
int species(const LineReader& lines, std::string_view symbol);

}  // namespace stembridge::io
