// SPDX-License-Identifier: Apache-2.0
// A table of numbers that grows row by row and can be continued exactly after an interruption.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace stembridge::app {

/// Appends rows to a CSV file; numbers are written so that the same bits are read back.
class CsvLog {
  public:
    /// Starts the file, or continues it after its first `keep_rows` rows (what follows is removed).
    /// @throw FileError when it cannot be written or holds fewer rows
    CsvLog(std::filesystem::path path, const std::vector<std::string>& columns, std::int64_t keep_rows = 0);
    /// @throw FileError (disk full)
    void row(const std::vector<double>& values);
    void flush();
    /// Waits until every row is on the disk; to be called before a checkpoint that counts them. @throw
    /// FileError
    void sync();
    std::int64_t rows() const { return rows_; }

  private:
    std::filesystem::path path_;
    std::ofstream file_;
    std::int64_t rows_ = 0;
};

/// @throw FileError when such a file holds fewer complete rows than a checkpoint counts
void require_rows(const std::filesystem::path& path, std::int64_t rows);

/// The cells of one line, without quoting.
std::vector<std::string> csv_cells(const std::string& line);

/// The columns of such a file by name. @param needed columns that it must have
/// @throw FileError when it is missing or malformed (file:line), or lacks a column
std::map<std::string, std::vector<double>> read_csv(const std::filesystem::path& path,
                                                    const std::vector<std::string>& needed = {});

}  // namespace stembridge::app
