// Demonstrations of a file of the user's: JSON Lines of prompt and response.
#include "../planning.hpp"
#include "demonstrations.hpp"
#include "makers.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::stages {
namespace {

constexpr std::int64_t block = 1000;  // demonstrations in one file

class FileMaker final : public Maker {
 public:
  DataKind makes() const override { return DataKind::demonstrations; }
  void bind(OptionTable& table, DataOptions& data) override {
    table.add_input(
        data.section() + ".file", &file_, "",
        "demonstrations: JSON Lines of prompt and response, or of any other form that `rlaif convert` knows");
    table
        .add(data.section() + ".every_turn", &every_turn_, "",
             "learn every answer of the assistant's in a conversation, not the last one alone")
        .listed_where_set();
  }
  void check(const Study&, const DataOptions& data) const override {
    if (file_.empty()) throw usage_error(data.section() + ".file: a file of demonstrations was expected");
  }
  void plan(StudyPlan& plan, const Study& study, const DataSet& data) const override {
    plan.add(
        demonstrations_stage(study, data, "demonstrations of " + file_.string(), {},
                             [this, data, how = data.maker](const Context& context) { return run(context, data); }));
  }

 private:
  Json run(const Context& context, const DataSet& data) const {
    std::vector<Demonstration> all;
    context.comm.agree([&] { all = read_demonstration_file(file_); });
    if (every_turn_) all = every_answer(std::move(all));
    return write_demonstrations(context, data, static_cast<std::int64_t>(all.size()), block,
                                [&](std::int64_t begin, std::int64_t end) {
                                  return std::vector<Demonstration>(all.begin() + begin, all.begin() + end);
                                });
  }

  std::filesystem::path file_;
  bool every_turn_ = false;
};

}  // namespace

std::unique_ptr<Maker> make_file() { return std::make_unique<FileMaker>(); }

}  // namespace rlaif::stages
