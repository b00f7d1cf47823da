#include "rlaif/text/line_file.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "rlaif/core/error.hpp"

namespace rlaif::text {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t buffer_size = 1 << 18;
constexpr std::string_view gzip_magic = "\x1F\x8B", zstd_magic = "\x28\xB5\x2F\xFD";

// A frame that decompressors pass over, which parallel ones put first: any first byte from 0x50 to 0x5F.
bool is_zstd(std::string_view bytes) {
  return bytes.starts_with(zstd_magic) || (bytes.size() >= 4 && (static_cast<unsigned char>(bytes[0]) & 0xF0) == 0x50 &&
                                           bytes.substr(1, 3) == "\x2A\x4D\x18");
}

// The bytes of a file as they are. What stands at its beginning may be looked at first.
class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(const fs::path& file) : file_(file) {
    if (fs::is_directory(file)) throw input_error(file, "is a folder; expected a file of JSON Lines");
    if (fs::exists(file) && !fs::is_regular_file(file) && file != "/dev/null")
      throw input_error(file, "is no regular file; expected one, since it may be read twice (a pipe cannot)");
    descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) throw input_error(file, fs::exists(file) ? "cannot be opened for reading" : "no such file");
  }
  PlainSource(const PlainSource&) = delete;
  PlainSource& operator=(const PlainSource&) = delete;
  ~PlainSource() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  // The first four bytes, or as many as there are.
  std::string_view first() {
    while (first_.size() < 4) {
      std::array<char, 4> bytes{};
      const std::size_t count = take(bytes.data(), 4 - first_.size(), 1);
      if (count == 0) break;
      first_.append(bytes.data(), count);
    }
    return first_;
  }

  std::size_t read(char* bytes, std::size_t size, std::size_t line) override {
    if (given_ < first_.size()) {
      const std::size_t count = first_.copy(bytes, size, given_);
      given_ += count;
      return count;
    }
    return take(bytes, size, line);
  }

  const fs::path& file() const { return file_; }

 private:
  std::size_t take(char* bytes, std::size_t size, std::size_t line) {
    for (;;) {
      const ssize_t count = ::read(descriptor_, bytes, size);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) throw input_error(file_, "cannot be read past line " + std::to_string(line - 1));
    }
  }

  fs::path file_;
  int descriptor_ = -1;
  std::string first_;
  std::size_t given_ = 0;  // of first_
};

// What decompressors have in common: a piece of the compressed file.
class CompressedSource : public ByteSource {
 protected:
  CompressedSource(std::unique_ptr<PlainSource> in, const char* kind)
      : in_(std::move(in)), kind_(kind), piece_(buffer_size, '\0') {}

  // The next piece of the file; empty at its end.
  std::string_view next_piece(std::size_t line) {
    return {piece_.data(), in_->read(piece_.data(), piece_.size(), line)};
  }
  [[nodiscard]] Error cut_short(std::size_t line) const {
    return input_error(in_->file(), line,
                       std::string("the compressed file (") + kind_ + ") is cut short here; a whole one was expected");
  }
  [[nodiscard]] Error damaged(std::size_t line, const std::string& why) const {
    return input_error(in_->file(), line, std::string("the compressed file (") + kind_ + ") is damaged here: " + why);
  }

 private:
  std::unique_ptr<PlainSource> in_;
  const char* kind_;
  std::string piece_;
};

class GzipSource final : public CompressedSource {
 public:
  explicit GzipSource(std::unique_ptr<PlainSource> in) : CompressedSource(std::move(in), "gzip") {
    constexpr int gzip_alone = 15 + 16;
    RLAIF_CHECK(inflateInit2(&stream_, gzip_alone) == Z_OK, "zlib does not start");
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { inflateEnd(&stream_); }

  std::size_t read(char* bytes, std::size_t size, std::size_t line) override {
    stream_.next_out = reinterpret_cast<Bytef*>(bytes);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out == size) {
      if (stream_.avail_in == 0 && !refill(line)) {
        if (inside_) throw cut_short(line);
        return 0;
      }
      if (!inside_ && !begin_member(line)) continue;
      inflate_some(line);
    }
    return size - stream_.avail_out;
  }

 private:
  bool refill(std::size_t line) {
    const std::string_view piece = next_piece(line);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    return !piece.empty();
  }
  // After a member comes another one or padding with zeros, which is passed over.
  bool begin_member(std::size_t line) {
    for (; stream_.avail_in > 0 && *stream_.next_in == 0; --stream_.avail_in) ++stream_.next_in;
    if (stream_.avail_in == 0) return false;
    if (*stream_.next_in != static_cast<unsigned char>(gzip_magic[0]))
      throw damaged(line, "after its end come bytes that are not gzip's");
    inflateReset(&stream_);
    inside_ = true;
    return true;
  }
  void inflate_some(std::size_t line) {
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      inside_ = false;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      throw damaged(line, stream_.msg ? stream_.msg : "zlib gives up");
    }
  }

  z_stream stream_{};
  bool inside_ = false;  // a member
};

class ZstdSource final : public CompressedSource {
 public:
  explicit ZstdSource(std::unique_ptr<PlainSource> in)
      : CompressedSource(std::move(in), "zstd"), context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
    RLAIF_CHECK(context_ != nullptr, "libzstd does not start");
  }

  std::size_t read(char* bytes, std::size_t size, std::size_t line) override {
    ZSTD_outBuffer out{bytes, size, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size && !has_more_) {
        const std::string_view piece = next_piece(line);
        if (piece.empty()) {
          if (inside_) throw cut_short(line);
          return 0;
        }
        in_ = {piece.data(), piece.size(), 0};
      }
      const std::size_t left = ZSTD_decompressStream(context_.get(), &out, &in_);
      if (ZSTD_isError(left)) throw damaged(line, ZSTD_getErrorName(left));
      inside_ = left != 0;
      has_more_ = out.pos == out.size && inside_;  // of what it has taken in already
    }
    return out.pos;
  }

 private:
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool inside_ = false, has_more_ = false;
};

std::unique_ptr<ByteSource> open_source(const fs::path& file) {
  auto plain = std::make_unique<PlainSource>(file);
  const std::string_view first = plain->first();
  if (first.starts_with(gzip_magic)) return std::make_unique<GzipSource>(std::move(plain));
  if (is_zstd(first)) return std::make_unique<ZstdSource>(std::move(plain));
  return plain;
}

// At zlib's usual level; the header carries neither a time nor a name.
std::string gzip(std::string_view bytes) {
  z_stream stream{};
  RLAIF_CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib does not start");
  std::string out, piece(buffer_size, '\0');
  for (int code = Z_OK; code != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      const std::size_t count = std::min<std::size_t>(bytes.size(), std::size_t{1} << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream.avail_in = static_cast<uInt>(count);
      bytes.remove_prefix(count);
    }
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    code = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    RLAIF_CHECK(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR, "zlib fails to compress");
    out.append(piece, 0, piece.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
  RLAIF_CHECK(!ZSTD_isError(size), "libzstd fails to compress");
  out.resize(size);
  return out;
}

}  // namespace

LineFile::LineFile(const fs::path& file) : source_(open_source(file)), buffer_(buffer_size, '\0') {}

bool LineFile::next(std::string_view& line) {
  held_.clear();
  ++number_;
  for (;;) {
    if (const std::size_t end = left_.find('\n'); end != std::string_view::npos) {
      line = left_.substr(0, end);
      left_.remove_prefix(end + 1);
      if (!held_.empty()) line = held_.append(line);
      return true;
    }
    held_.append(left_);
    left_ = {buffer_.data(), source_->read(buffer_.data(), buffer_.size(), number_)};
    if (!left_.empty()) continue;
    line = held_;
    if (held_.empty()) --number_;
    return !held_.empty();
  }
}

std::string compressed_for(const fs::path& file, std::string bytes) {
  if (file.extension() == ".gz") return gzip(bytes);
  if (file.extension() == ".zst") return zstd(bytes);
  return bytes;
}

}  // namespace rlaif::text
