#include "tools/arguments.h"

#include <algorithm>
#include <cstdlib>

#include "pdrt/error.h"

namespace pdrt::tools {

Arguments::Arguments(int argc, char** argv, const std::vector<Option>& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.empty() || word[0] != '-') {
      files_.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const Option& known) { return known.name == name; });
    if (option == options.end()) {
      throw InputError("unknown option '" + name + "'; --help lists the known ones");
    }
    std::string value;
    if (option->value.empty()) {
      if (equals != std::string::npos) throw InputError("option '" + name + "' takes no value");
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < argc) {
      value = argv[++i];
    } else {
      throw InputError("option '" + name + "' needs a value: " + name + " " + option->value);
    }
    given_[name].push_back(value);
  }
}

std::vector<std::string> Arguments::all(const std::string& name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? std::vector<std::string>{} : found->second;
}

int Arguments::integer(const std::string& name, int fallback, int least) const {
  const auto found = given_.find(name);
  if (found == given_.end()) return fallback;
  const std::string& text = found->second.back();
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < least || value > 1'000'000'000) {
    throw InputError("option '" + name + "' needs a whole number of at least " +
                     std::to_string(least) + ", not '" + text + "'");
  }
  return static_cast<int>(value);
}

std::string help(const std::string& about, const std::vector<Option>& options) {
  std::string text = about + "\noptions:\n";
  for (const Option& option : options) {
    std::string left = "  " + option.name + (option.value.empty() ? "" : " " + option.value);
    left.resize(std::max<std::size_t>(left.size() + 2, 26), ' ');
    text += left + option.help + "\n";
  }
  return text;
}

}  // namespace pdrt::tools
