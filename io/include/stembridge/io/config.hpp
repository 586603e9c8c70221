// SPDX-License-Identifier: Apache-2.0
// Typed configuration: a schema says which keys there are; a TOML text gives values; every mistake is named
// with its place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stembridge/base/units.hpp"

namespace stembridge::io {

/// A value of a configuration: boolean, integer, number, text, list or table.
class Value {
  public:
    using List = std::vector<Value>;
    using Table = std::map<std::string, Value>;
    using Content = std::variant<bool, std::int64_t, double, std::string, List, Table>;

    Value() = default;
    /// @param where place and key for messages, e.g. "run.toml:12:5: calculator.charge"
    Value(Content content, std::string where) : content_(std::move(content)), where_(std::move(where)) {}

    bool is_list() const { return std::holds_alternative<List>(content_); }
    bool is_table() const { return std::holds_alternative<Table>(content_); }
    bool is_text() const { return std::holds_alternative<std::string>(content_); }
    bool is_number() const { return !is_list() && !is_table() && !is_text() && !is_boolean(); }
    bool is_integer() const { return std::holds_alternative<std::int64_t>(content_); }
    bool is_boolean() const { return std::holds_alternative<bool>(content_); }

    /// The content as what is wanted. @throw InputError naming the place and what is there instead
    bool boolean() const;
    std::int64_t integer() const;
    double number() const;  ///< an integer is a number too
    const std::string& text() const;
    const List& list() const;
    const Table& table() const;
    std::vector<double> numbers() const;  ///< a list of numbers

    /// What this is, e.g. "the text 'abc'", "a list".
    std::string description() const;
    const std::string& where() const { return where_; }
    const Content& content() const { return content_; }

  private:
    Content content_ = false;
    std::string where_;
};

/// What a key takes.
enum class Kind {
    quantity,    ///< text with a unit of the key's dimension
    quantities,  ///< one quantity or a list of them
    integer,
    number,
    boolean,
    text,
    choice,    ///< one of the key's words
    file,      ///< a path; relative ones count from the folder of the config file
    files,     ///< a path or a list of paths; the key's words (e.g. "builtin") stand for themselves
    integers,  ///< a list of integers
    numbers,   ///< a list of numbers
    texts,     ///< one text or a list of texts
    rows,      ///< a list of lists of numbers
    table      ///< a table whose keys are free, e.g. by element; nested tables and lists allowed
};

/// One key of a configuration. Made by the named functions below; `standard` is the default as it would be
/// written in TOML, for texts without the quotes, empty = left out.
struct Key {
    std::string path;  ///< e.g. "calculator.scc.tolerance"
    Kind kind = Kind::text;
    std::string standard;
    std::string meaning;
    Dimension dimension = Dimension::number;
    std::vector<std::string> words;  ///< of a choice; of files: names that are no paths
    double least = -std::numeric_limits<double>::infinity();
    double most = std::numeric_limits<double>::infinity();
    bool above = false;  ///< the value must be above `least`, not equal
    int length = 0;      ///< of a list (rows: of each row); 0 = any

    static Key quantity(std::string path, Dimension dimension, std::string standard, std::string meaning);
    static Key quantities(std::string path, Dimension dimension, std::string standard, std::string meaning);
    static Key integer(std::string path, std::string standard, std::string meaning);
    static Key number(std::string path, std::string standard, std::string meaning);
    static Key boolean(std::string path, std::string standard, std::string meaning);
    static Key text(std::string path, std::string standard, std::string meaning);
    static Key choice(std::string path, std::vector<std::string> words, std::string standard,
                      std::string meaning);
    static Key file(std::string path, std::string standard, std::string meaning);
    static Key files(std::string path, std::vector<std::string> words, std::string standard,
                     std::string meaning);
    static Key integers(std::string path, int length, std::string standard, std::string meaning);
    static Key numbers(std::string path, int length, std::string standard, std::string meaning);
    static Key texts(std::string path, std::string standard, std::string meaning);
    static Key rows(std::string path, int length, std::string standard, std::string meaning);
    static Key table(std::string path, std::string meaning);

    /// The same key with limits for each of its numbers (quantities: in atomic units).
    Key at_least(double limit) const;
    Key at_most(double limit) const;
    Key positive() const;
};

using Schema = std::vector<Key>;

/// Values of the keys of a schema. Inline tables, dotted keys and [tables] are the same thing.
class Config {
  public:
    /// Every key at its default. @throw std::logic_error when a default does not fit its key
    explicit Config(Schema schema);
    /// @throw FileError when the file cannot be read  @throw InputError listing every unknown key (with the
    /// nearest known one), wrong type, missing or wrong unit, and value out of range, each with
    /// file:line:column
    static Config read(const std::filesystem::path& path, Schema schema);
    /// @param name of the file in messages, may be empty  @param folder where relative paths count from
    static Config parse(std::string_view toml, Schema schema, const std::string& name,
                        const std::filesystem::path& folder = ".");

    /// Sets a key from an option of the command line: texts and quantities without quotes, lists with
    /// brackets or just separated by blanks or commas ("6 6 1"). Relative paths then count from the current
    /// folder.
    /// @param option named in messages, e.g. "--kpoints"  @throw InputError
    void set(const std::string& path, const std::string& text, const std::string& option);

    /// Back to the default; left out where there is none.
    void unset(const std::string& path);

    /// Whether the user gave a value.
    bool is_set(const std::string& path) const;
    /// Whether there is a value, given or by default.
    bool has(const std::string& path) const;

    /// Values. @throw InputError when the key is left out and has no default  @throw std::logic_error when
    /// the schema has no such key or it is of another kind
    double quantity(const std::string& path) const;  ///< atomic units
    std::vector<double> quantities(const std::string& path) const;
    std::int64_t integer(const std::string& path) const;
    double number(const std::string& path) const;
    bool boolean(const std::string& path) const;
    const std::string& text(const std::string& path) const;  ///< also of choices; of quantities, as written
    std::filesystem::path file(const std::string& path) const;
    std::vector<std::filesystem::path> files(const std::string& path) const;
    std::vector<std::int64_t> integers(const std::string& path) const;
    std::vector<double> numbers(const std::string& path) const;
    std::vector<std::string> texts(const std::string& path) const;
    std::vector<std::vector<double>> rows(const std::string& path) const;
    const Value& table(const std::string& path) const;

    /// Place of a value, for messages about it: "run.toml:12:5: build.crop", "--crop", or "build.crop
    /// (default)".
    std::string where(const std::string& path) const;
    /// Folder that relative paths count from.
    const std::filesystem::path& folder() const { return folder_; }
    const Schema& schema() const { return schema_; }

    /// Every key with its value, as TOML that gives the same configuration when read again; paths are
    /// absolute, keys that are left out are comments.
    std::string resolved_toml() const;

  private:
    struct Entry {
        Value value;
        bool given = false;
        bool from_option = false;
    };
    const Key& key(const std::string& path) const;
    const Entry& entry(const std::string& path, std::initializer_list<Kind> kinds) const;
    std::filesystem::path resolved(const Entry& entry, const Key& key, const std::string& path) const;

    Schema schema_;
    std::map<std::string, Entry> entries_;
    std::filesystem::path folder_ = ".";
};

/// A Markdown table of the keys: key, type or unit, default, meaning; one section per TOML table.
std::string explain(const Schema& schema);

}  // namespace stembridge::io
