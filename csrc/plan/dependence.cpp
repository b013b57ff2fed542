#include "plan/dependence.h"

#include <algorithm>
#include <queue>

namespace pdrt::plan {

Dependence::Dependence(const Program& program) : program_(&program) {
  const std::size_t count = program.ops.size();
  group_.resize(count);
  members_.resize(count);
  extra_.resize(count);
  for (std::size_t op = 0; op < count; ++op) {
    group_[op] = static_cast<int>(op);
    members_[op] = {static_cast<int>(op)};
  }
}

void Dependence::merge(int op, int into_group) {
  const int from = group_[op];
  for (int member : members_[from]) {
    group_[member] = into_group;
    members_[into_group].push_back(member);
  }
  members_[from].clear();
  extra_[into_group].insert(extra_[into_group].end(), extra_[from].begin(), extra_[from].end());
  extra_[from].clear();
  for (std::vector<int>& targets : extra_)
    std::replace(targets.begin(), targets.end(), from, into_group);
}

std::vector<int> Dependence::successors(int group) const {
  std::vector<int> found = extra_[group];
  for (int op : members_[group]) {
    for (ValueId output : program_->ops[op].outputs) {
      if (output == kAbsent) continue;
      for (int user : program_->values[output].users) {
        if (group_[user] != group) found.push_back(group_[user]);
      }
    }
  }
  return found;
}

std::vector<bool> Dependence::after(int group) const {
  std::vector<bool> seen(members_.size(), false);
  std::vector<int> pending{group};
  while (!pending.empty()) {
    const int at = pending.back();
    pending.pop_back();
    if (seen[at]) continue;
    seen[at] = true;
    for (int next : successors(at)) pending.push_back(next);
  }
  return seen;
}

void Dependence::add_edge(int earlier, int later) {
  std::vector<int>& targets = extra_[earlier];
  if (std::find(targets.begin(), targets.end(), later) == targets.end()) targets.push_back(later);
}

std::vector<int> Dependence::order() const {
  std::vector<int> waiting(members_.size(), 0);
  for (std::size_t group = 0; group < members_.size(); ++group) {
    for (int next : successors(static_cast<int>(group))) ++waiting[next];
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (std::size_t group = 0; group < members_.size(); ++group) {
    if (!members_[group].empty() && waiting[group] == 0) ready.push(static_cast<int>(group));
  }
  std::vector<int> sorted;
  while (!ready.empty()) {
    const int group = ready.top();
    ready.pop();
    sorted.push_back(group);
    for (int next : successors(group)) {
      if (--waiting[next] == 0) ready.push(next);
    }
  }
  return sorted;
}

}  // namespace pdrt::plan
