#include "src/config/overrides.hpp"

#include "src/config/keys.hpp"

namespace paws::config
{
void apply_overrides(Document& document, const std::vector<std::string>& overrides)
{
    for (const std::string& text : overrides)
    {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
        {
            throw Error("--set: '" + text +
                        "' is not a setting; write section.key=value, such as optimization.epochs=10");
        }
        const std::string key = text.substr(0, equals);
        if (is_section(key))
        {
            fail("--set", key, "is a section; set its keys one by one, such as --set " + key + ".KEY=VALUE");
        }
        try
        {
            document.set({moved_key(key), YAML::Load(text.substr(equals + 1)), "--set"});
        }
        catch (const YAML::Exception& error)
        {
            fail("--set", key, "'" + text.substr(equals + 1) + "' is not a YAML value (" + error.msg + "); quote it");
        }
    }
}
}  // namespace paws::config
