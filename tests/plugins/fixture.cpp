// Plug-ins for the tests, one of each KIND; made with DPF (ISC licence), see conftest.py.
#include "DistrhoPlugin.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>
#include <vector>

START_NAMESPACE_DISTRHO

enum { Late = 1, Unsaid, Tail, Crash, CrashAtOnce, Hang, HangAtOnce, Slow, Mono, Nan, Gain, Keeper, Shifty, Mover };

// Louder than the noise that a host may send to a plug-in that it has just loaded.
static const float kLoud = 1.5f;

class Fixture : public Plugin {
public:
    Fixture() : Plugin(KIND == Gain || KIND == Mover ? 3 : 0, 0, KIND == Gain ? 1 : 0) {
        if (KIND == Late) setLatency(1000);
        if (KIND == HangAtOnce) for (;;) sleep(1);
        if (KIND == Slow) sleep(2);
        if (KIND == Gain) std::fprintf(stderr, "fixture: hello from the plug-in\n");
        for (auto& line : lines) line.assign(KIND == Tail ? 4410 : KIND == Keeper ? 20000 : 1000, 0.0f);
    }

protected:
    const char* getLabel() const override { return DISTRHO_PLUGIN_NAME; }
    const char* getMaker() const override { return "Covermaker tests"; }
    const char* getLicense() const override { return "ISC"; }
    uint32_t getVersion() const override { return d_version(1, 2, 3); }
    int64_t getUniqueId() const override { return d_cconst('C', 'v', 'r', 'A' + KIND); }

    void initParameter(uint32_t index, Parameter& parameter) override {
        parameter.hints = kParameterIsAutomatable;
        if (index == 0) {
            parameter.name = "Gain";
            parameter.symbol = "gain";
            parameter.unit = "dB";
            parameter.ranges.def = 0.0f;
            parameter.ranges.min = -60.0f;
            parameter.ranges.max = 20.0f;
        } else if (KIND == Mover) {
            parameter.name = index == 1 ? "Phase" : "Ahead";
            parameter.symbol = index == 1 ? "phase" : "ahead";
            if (index == 1) parameter.hints |= kParameterIsBoolean;
            parameter.ranges.def = 0.0f;
            parameter.ranges.min = 0.0f;
            parameter.ranges.max = index == 1 ? 1.0f : 100.0f;
        } else if (index == 1) {
            parameter.name = "Mode";
            parameter.symbol = "mode";
            parameter.hints |= kParameterIsInteger;
            parameter.ranges.def = 0.0f;
            parameter.ranges.min = 0.0f;
            parameter.ranges.max = 2.0f;
            parameter.enumValues.count = 3;
            parameter.enumValues.restrictedMode = true;
            parameter.enumValues.values = new ParameterEnumerationValue[3]{{0.0f, "Soft"}, {1.0f, "Hard"}, {2.0f, "Off"}};
        } else {
            parameter.name = "Level";
            parameter.symbol = "level";
            parameter.hints = kParameterIsOutput;
            parameter.ranges.def = 0.0f;
            parameter.ranges.min = 0.0f;
            parameter.ranges.max = 1.0f;
        }
    }

    float getParameterValue(uint32_t index) const override { return values[index]; }
    void setParameterValue(uint32_t index, float value) override {
        values[index] = value;
        if (KIND == Mover && index == 2) setLatency(static_cast<uint32_t>(value));
    }
#if KIND == 11
    void initState(uint32_t, String& key, String& value) override { key = "secret"; value = "1"; }
    String getState(const char*) const override { return String(secret); }
    void setState(const char*, const char* value) override { secret = std::atof(value); }
#endif

    void run(const float** inputs, float** outputs, uint32_t frames) override {
        if (KIND == CrashAtOnce) std::abort();
        // As many plug-ins do, it glides to a new value block by block: the result depends on the blocks.
        const float target = std::pow(10.0f, values[0] / 20.0f) * secret;
        gain += 0.5f * (target - gain);
        for (int c = 0; c < DISTRHO_PLUGIN_NUM_INPUTS; ++c) {
            for (uint32_t i = 0; i < frames; ++i) {
                const float x = inputs[c][i];
                const bool loud = std::fabs(x) > kLoud;
                float y = x;
                if (KIND == Crash && loud) { std::fprintf(stderr, "fixture: about to fall\n"); std::abort(); }
                if (KIND == Hang && loud) for (;;) sleep(1);
                if (KIND == Shifty && loud) setLatency(77);
                if (KIND == Nan && loud) y = NAN;
                if (KIND == Late || KIND == Unsaid) y = swap(c, x);
                if (KIND == Tail) { y = x + 0.5f * lines[c][at[c]]; swap(c, y); }
                if (KIND == Keeper) y = x + swap(c, x);
                if (KIND == Mono) y = memory[c] = 0.5f * x + 0.5f * memory[c];
                if (KIND == Gain) y = gain * x;
                if (KIND == Mover) y = (values[1] > 0.5f ? -target : target) * x;  // at once, with no care for clicks
                outputs[c][i] = y;
            }
        }
    }

private:
    float swap(int c, float x) {
        const float before = lines[c][at[c]];
        lines[c][at[c]] = x;
        at[c] = (at[c] + 1) % lines[c].size();
        return before;
    }

    std::vector<float> lines[2];
    size_t at[2] = {0, 0};
    float memory[2] = {0.0f, 0.0f};
    float values[3] = {0.0f, 0.0f, 0.0f};
    float gain = 1.0f, secret = 1.0f;
};

Plugin* createPlugin() { return new Fixture(); }

END_NAMESPACE_DISTRHO
