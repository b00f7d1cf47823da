// The `loop` variable within a for loop. It looks one item ahead where it is asked what comes, and at all that are left
// where it is asked for its length and nobody knows it, as jinja2 does: tests of a loop are evaluated then and not
// before.
#pragma once

#include <optional>
#include <string>

#include "run.hpp"

namespace rlaif::templates {

class Loop final : public Object {
 public:
  Loop(const Statement& statement, const TemplateRun::Scope& around, Iterator items, std::optional<std::size_t> length,
       int depth)
      : statement_(statement), around_(around), items_(std::move(items)), length_(length), depth_(depth) {}

  std::optional<Value> advance();  // to the next item

  std::string type() const override { return "LoopContext"; }
  std::optional<Value> attribute(TemplateRun& run, const std::string& name) override;
  Value call(TemplateRun& run, Arguments& arguments) override;

 private:
  const std::optional<Value>& ahead();  // the next item, which stays the next
  std::int64_t length();

  const Statement& statement_;
  const TemplateRun::Scope& around_;
  Iterator items_;
  std::optional<std::size_t> length_;
  const int depth_;
  std::int64_t index_ = -1;
  bool looked_ahead_ = false;
  std::optional<Value> before_, current_, ahead_;
  Values last_changed_;
  bool has_changed_ = false;
};

}  // namespace rlaif::templates
