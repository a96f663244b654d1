#include "support/json_reader.hpp"

namespace json_reader {

bool Json::has(const std::string &name) const
{
    for (const auto &member : members) {
        if (member.first == name) {
            return true;
        }
    }
    return false;
}

const Json &Json::at(const std::string &name) const
{
    for (const auto &member : members) {
        if (member.first == name) {
            return member.second;
        }
    }
    throw std::runtime_error("no member " + name);
}

namespace {

class Reader {
  public:
    explicit Reader(const std::string &text) : text_(text)
    {
    }

    Json all()
    {
        Json value = one();
        blanks();
        if (at_ != text_.size()) {
            fail("something behind the value");
        }
        return value;
    }

  private:
    [[noreturn]] void fail(const std::string &why) const
    {
        throw std::runtime_error(why + " at byte " + std::to_string(at_));
    }

    unsigned char peek() const
    {
        return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : 0;
    }

    void blanks()
    {
        while (at_ < text_.size() && std::string(" \t\r\n").find(text_[at_]) != std::string::npos) {
            at_++;
        }
    }

    void expect(char byte)
    {
        if (at_ == text_.size() || text_[at_] != byte) {
            fail(std::string("no ") + byte);
        }
        at_++;
    }

    Json word(const char *name, Json::Kind kind)
    {
        for (const char *byte = name; *byte != '\0'; byte++) {
            expect(*byte);
        }
        Json value;
        value.kind = kind;
        return value;
    }

    Json one()
    {
        blanks();
        switch (peek()) {
        case '{': return object();
        case '[': return array();
        case 't': return word("true", Json::True);
        case 'f': return word("false", Json::False);
        case 'n': return word("null", Json::Null);
        case '"': {
            Json value;
            value.kind = Json::String;
            value.text = string();
            return value;
        }
        default: return number();
        }
    }

    Json object()
    {
        Json value;
        value.kind = Json::Object;
        expect('{');
        blanks();
        while (peek() != '}') {
            if (!value.members.empty()) {
                expect(',');
                blanks();
            }
            const std::string key = string();
            if (value.has(key)) {
                fail("twice the key " + key);
            }
            blanks();
            expect(':');
            value.members.emplace_back(key, one());
            blanks();
        }
        expect('}');
        return value;
    }

    Json array()
    {
        Json value;
        value.kind = Json::Array;
        expect('[');
        blanks();
        while (peek() != ']') {
            if (!value.items.empty()) {
                expect(',');
            }
            value.items.push_back(one());
            blanks();
        }
        expect(']');
        return value;
    }

    void digits()
    {
        const std::size_t start = at_;
        while (peek() >= '0' && peek() <= '9') {
            at_++;
        }
        if (at_ == start) {
            fail("no digit");
        }
    }

    Json number()
    {
        Json value;
        const std::size_t start = at_;
        value.kind = Json::Number;
        if (peek() == '-') {
            at_++;
        }
        if (peek() == '0') {
            at_++;
        } else {
            digits();
        }
        if (peek() == '.') {
            at_++;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            at_++;
            if (peek() == '+' || peek() == '-') {
                at_++;
            }
            digits();
        }
        value.text = text_.substr(start, at_ - start);
        return value;
    }

    unsigned hexadecimal()
    {
        unsigned value = 0;
        for (unsigned i = 0; i < 4; i++) {
            const std::size_t digit = std::string("0123456789abcdefABCDEF").find(text_[at_]);
            if (at_ == text_.size() || digit == std::string::npos) {
                fail("no hexadecimal digit");
            }
            value = value * 16 + static_cast<unsigned>(digit < 16 ? digit : digit - 6);
            at_++;
        }
        return value;
    }

    static void append_utf8(std::string &to, unsigned code)
    {
        const auto put = [&to](unsigned byte) { to += static_cast<char>(byte); };
        if (code < 0x80) {
            put(code);
        } else if (code < 0x800) {
            put(0xC0 | code >> 6);
            put(0x80 | (code & 63));
        } else if (code < 0x10000) {
            put(0xE0 | code >> 12);
            put(0x80 | (code >> 6 & 63));
            put(0x80 | (code & 63));
        } else {
            put(0xF0 | code >> 18);
            put(0x80 | (code >> 12 & 63));
            put(0x80 | (code >> 6 & 63));
            put(0x80 | (code & 63));
        }
    }

    void escape(std::string &to)
    {
        static const std::string letters = "\"\\/bfnrt";
        static const std::string meant = "\"\\/\b\f\n\r\t";
        if (peek() != 'u') {
            const std::size_t which = letters.find(text_[at_]);
            if (at_ == text_.size() || which == std::string::npos) {
                fail("an unknown escape");
            }
            at_++;
            to += meant[which];
            return;
        }
        at_++;
        unsigned code = hexadecimal();
        if (code >= 0xD800 && code < 0xDC00) {
            expect('\\');
            expect('u');
            const unsigned low = hexadecimal();
            if (low < 0xDC00 || low > 0xDFFF) {
                fail("half a pair");
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        } else if (code >= 0xDC80 && code <= 0xDCFF) {
            to += static_cast<char>(code & 0xFF); // a byte
            return;
        } else if (code >= 0xDC00 && code <= 0xDFFF) {
            fail("half a pair");
        }
        append_utf8(to, code);
    }

    // One character of more than one byte: its code is formed, and has to be written like that.
    void character(std::string &to)
    {
        const unsigned first = peek();
        const unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        unsigned code = first & (0x3Fu >> more);
        const std::size_t start = at_++;
        for (unsigned i = 0; i < more; i++, at_++) {
            if ((peek() & 0xC0) != 0x80) {
                fail("not UTF-8");
            }
            code = code << 6 | (peek() & 63u);
        }
        std::string again;
        append_utf8(again, code);
        if (again != text_.substr(start, at_ - start) || code > 0x10FFFF ||
            (code >= 0xD800 && code <= 0xDFFF)) {
            fail("not UTF-8");
        }
        to += again;
    }

    std::string string()
    {
        std::string value;
        expect('"');
        while (peek() != '"') {
            if (peek() < 0x20) {
                fail("a control character, or no end of a string");
            }
            if (peek() == '\\') {
                at_++;
                escape(value);
            } else if (peek() >= 0x80) {
                character(value);
            } else {
                value += text_[at_++];
            }
        }
        at_++;
        return value;
    }

    const std::string &text_;
    std::size_t at_ = 0;
};

} // namespace

Json read(const std::string &text)
{
    return Reader(text).all();
}

} // namespace json_reader
