// Command lines of the tools: files, and named options described in one table that --help prints.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace pdrt::tools {

struct Option {
  std::string name;   // "--runs"
  std::string value;  // what follows, as --help shows it: "N"; empty for an option that is only
                      // there or not
  std::string help;
};

class Arguments {
 public:
  // Throws InputError naming the option that is unknown or lacks its value.
  Arguments(int argc, char** argv, const std::vector<Option>& options);

  const std::vector<std::string>& files() const { return files_; }
  bool has(const std::string& name) const { return given_.count(name) != 0; }
  // Every value given for an option that may be repeated.
  std::vector<std::string> all(const std::string& name) const;
  // Throws InputError unless the value is a whole number of at least `least`.
  int integer(const std::string& name, int fallback, int least) const;

 private:
  std::vector<std::string> files_;
  std::map<std::string, std::vector<std::string>> given_;
};

// `about`, then the table of options.
std::string help(const std::string& about, const std::vector<Option>& options);

}  // namespace pdrt::tools
