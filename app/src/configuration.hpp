// SPDX-License-Identifier: Apache-2.0
// The one table of configuration keys, and what the options of the command line do to it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/calculators/calculators.hpp"
#include "stembridge/io/config.hpp"

namespace CLI {
class App;
}

namespace stembridge::app {

/// Every key of a run: [run] [detect] [build] [calculator] [relax] [md] [vibrations] [analyze] [report].
io::Schema run_schema();
/// The keys of `stembridge train`: [train].
io::Schema training_schema();
/// The keys of `stembridge simulate-image --config`: [image].
io::Schema simulation_schema();

/// A TOML list of the texts between separators, without the blanks around them.
std::string list_of(const std::string& text, char separator);

/// Options of a subcommand that are configuration keys under another name.
class ConfigOptions {
  public:
    explicit ConfigOptions(io::Schema schema);
    /// --config FILE
    void add_config_file(CLI::App& command);
    /// Declares an option that sets a key; its help is the meaning of the key. Given twice, it makes a list.
    void add(CLI::App& command, const std::string& option, const std::string& key);
    /// Declares an option that takes words separated by commas.
    void add_words(CLI::App& command, const std::string& option, const std::string& key);
    /// Declares a flag that sets a key to a fixed value. @param help what the flag does; empty = the meaning
    /// of the key
    void add_flag(CLI::App& command, const std::string& flag, const std::string& key,
                  const std::string& value, const std::string& help = "");
    /// The calculator options of the contract: --parameters, --kpoints, ...
    void add_calculator(CLI::App& command);
    /// The configuration file, when it is no option.
    void set_file(const std::string& file) { file_ = file; }
    /// File (or defaults), then options over it.
    io::Config config() const;
    /// The options that were given, with commas, but for some of them.
    std::string given_but(const std::vector<std::string>& these) const;
    /// Where a value that is no option itself comes from, e.g. a positional argument.
    void set(const std::string& key, const std::string& value, const std::string& option);

  private:
    struct Setting {
        std::string key, option, value, flag_value;
        bool given = false;
    };
    Setting& new_setting(const std::string& option, const std::string& key);
    const io::Key& key(const std::string& path) const;
    std::string meaning(const std::string& path) const;
    io::Schema schema_;
    std::string file_;
    std::vector<std::unique_ptr<Setting>> settings_;
};

/// Text that is the same whenever these tables hold the same values, for hashes.
std::string tables_text(const io::Config& config, const std::vector<std::string>& tables);

}  // namespace stembridge::app
