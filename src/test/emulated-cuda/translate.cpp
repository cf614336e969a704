// Kernel text between the passes of the compiler: what cannot be done by macros.
#include <cctype>
#include <cstring>
#include <set>

#include "compile.h"

namespace emu {
namespace {

bool word_char(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

size_t skip_space(const std::string& s, size_t at) {
    while (at < s.size() && isspace((unsigned char)s[at])) at++;
    return at;
}

std::string word_at(const std::string& s, size_t at) {
    size_t end = at;
    while (end < s.size() && word_char(s[end])) end++;
    return s.substr(at, end - at);
}

// Behind the bracket that closes the one at `at`.
size_t skip_group(const std::string& s, size_t at) {
    int depth = 0;
    for (; at < s.size(); at++) {
        if (s[at] == '(' || s[at] == '[' || s[at] == '{') depth++;
        if (s[at] == ')' || s[at] == ']' || s[at] == '}') depth--;
        if (depth == 0) return at + 1;
    }
    return at;
}

// Next place of the word from `at` on, outside of strings.
size_t find_word(const std::string& s, const std::string& word, size_t at) {
    while ((at = s.find(word, at)) != std::string::npos) {
        bool whole = (at == 0 || !word_char(s[at - 1])) && !word_char(s[at + word.size()]);
        if (whole) return at;
        at += word.size();
    }
    return at;
}

// Whether a declaration that has the marker at `at` is of a template.
bool in_template(const std::string& s, size_t at) {
    size_t begin = s.find_last_of(";}", at);
    begin = begin == std::string::npos ? 0 : begin + 1;
    size_t t = find_word(s, "template", begin);
    return t != std::string::npos && t < at;
}

struct Found {
    std::string name, bound;
    size_t at = 0;  // of the name
    bool c_linkage = false;
};

// Name and launch bound of the kernel declared at a marker; empty where there is none.
Found kernel_at(const std::string& s, size_t at) {
    Found f;
    std::string last;
    at += strlen("__emu_global__");
    while (at < s.size()) {
        at = skip_space(s, at);
        if (word_char(s[at])) {
            std::string w = word_at(s, at);
            at += w.size();
            if (w == "__emu_bounds__" || w == "__attribute__" || w == "alignas") {
                at = skip_space(s, at);
                size_t end = skip_group(s, at);
                if (w == "__emu_bounds__") {
                    std::string inside = s.substr(at + 1, end - at - 2);
                    int depth = 0;
                    for (char c : inside) {  // its first argument
                        depth += c == '(' || c == '<' ? 1 : c == ')' || c == '>' ? -1 : 0;
                        if (c == ',' && depth == 0) break;
                        f.bound += c;
                    }
                }
                at = end;
            } else {
                last = w;
                f.at = at - w.size();
            }
        } else if (s[at] == '(') {
            f.name = last;
            return f;
        } else if (s[at] == ';' || s[at] == '{' || s[at] == '#') {
            return Found();
        } else {
            at++;
        }
    }
    return Found();
}

// A device function may have the name of an extern "C" kernel: such kernels get one that is theirs alone.
#define OWN "emu_kernel_"

std::vector<Found> find_kernels(std::string* s) {
    std::vector<Found> all;
    std::set<std::string> seen;
    for (size_t at = 0; (at = find_word(*s, "__emu_global__", at)) != std::string::npos; at++) {
        Found f = kernel_at(*s, at);
        if (f.name.empty() || in_template(*s, at)) {
            continue;
        }
        size_t before = at;
        while (before > 0 && isspace((unsigned char)(*s)[before - 1])) before--;
        f.c_linkage = before >= 3 && s->compare(before - 3, 3, "\"C\"") == 0;
        if (f.c_linkage) {
            s->insert(f.at, OWN);
        }
        if (seen.insert(f.name).second) {
            all.push_back(f);
        }
    }
    return all;
}

// `extern __shared__ T name[];` becomes a pointer to the block's dynamic memory.
void replace_dynamic_shared(std::string* s) {
    for (size_t at = 0; (at = find_word(*s, "extern", at)) != std::string::npos; at++) {
        size_t marker = skip_space(*s, at + 6);
        if (word_at(*s, marker) != "__emu_shared__") continue;
        size_t from = marker + strlen("__emu_shared__");
        size_t end = s->find(';', from), bracket = s->rfind('[', end);
        if (end == std::string::npos || bracket == std::string::npos || bracket < from) continue;
        size_t name_end = bracket;
        while (isspace((unsigned char)(*s)[name_end - 1])) name_end--;
        size_t name = name_end;
        while (word_char((*s)[name - 1])) name--;
        std::string type = s->substr(from, name - from);
        // Attributes such as an alignment are the memory's, which is aligned to 1024 bytes.
        for (const char* word : {"__attribute__", "alignas"}) {
            for (size_t a; (a = find_word(type, word, 0)) != std::string::npos;) {
                size_t open = type.find('(', a);
                type.erase(a, skip_group(type, open) - a);
            }
        }
        std::string made = type + " *const " + s->substr(name, name_end - name) + " = (" + type + " *)emu_dynamic";
        s->replace(at, end - at, made);
    }
}

// `static __shared__` is legal; our __shared__ is itself static. And variables of the device are told from functions.
void mark_variables(std::string* s) {
    for (size_t at = 0; (at = find_word(*s, "static", at)) != std::string::npos; at++) {
        if (word_at(*s, skip_space(*s, at + 6)) == "__emu_shared__") s->replace(at, 6, "      ");
    }
    for (size_t at = 0; (at = find_word(*s, "__emu_device__", at)) != std::string::npos; at++) {
        size_t p = at + strlen("__emu_device__");
        while (p < s->size()) {
            p = skip_space(*s, p);
            std::string w = word_at(*s, p);
            if (w == "__attribute__" || w == "alignas") {
                p = skip_group(*s, skip_space(*s, p + w.size()));
            } else if (w == "operator" || strchr("({", (*s)[p])) {
                break;  // a function
            } else if (strchr(";=[", (*s)[p])) {
                bool is_constant = find_word(s->substr(at, p - at), "__emu_constant__", 0) != std::string::npos;
                if (!is_constant) s->replace(at, strlen("__emu_device__"), "__emu_variable__");
                break;
            } else {
                p += w.empty() ? 1 : w.size();
            }
        }
    }
}

}  // namespace

std::string lowered_name(size_t expression) {
    return "emu_lowered_" + std::to_string(expression);
}

std::string translate(std::string text, const std::vector<std::string>& expressions) {
    replace_dynamic_shared(&text);
    mark_variables(&text);
    std::string table;
    for (const Found& f : find_kernels(&text)) {
        table += "    EMU_KERNEL(\"" + f.name + "\", " + (f.bound.empty() ? "0" : "(int)(" + f.bound + ")") +
                 (f.c_linkage ? ", 1, " OWN : ", 0, ") + f.name + ")\n";
    }
    for (size_t i = 0; i < expressions.size(); i++) {
        size_t from = skip_space(expressions[i], 0);
        from += expressions[i][from] == '&';
        table += "    EMU_KERNEL(\"" + lowered_name(i) + "\", 0, 1, " + expressions[i].substr(from) + ")\n";
    }
    return text + "\n#line 1 \"" + TABLE + "\"\nEMU_KERNELS = {\n" + table + "    {}};\n";
}

}  // namespace emu
