"""Writes the models beside it: python3 make.py (torch 2.13, transformers 5.18). Each directory is what save_pretrained writes
of a small model with drawn weights, and expected.safetensors: ids and what transformers computes of them, in float64 but
for RMS norms and rotations, which it computes in float32."""
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (BertConfig, BertForMaskedLM, BertModel, GPT2Config, GPT2LMHeadModel, GPT2Model, LlamaConfig,
                          LlamaForCausalLM)

here = Path(__file__).parent
torch.manual_seed(1)
VOCABULARY = 13


def drawn(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            norm = "norm" in name.lower() or ".ln_" in name
            p.copy_((1 if norm and name.endswith("weight") else 0) + (0.1 if norm else 0.3) * torch.randn(p.shape))
    return model.eval()


def write(name, model, ids, expected, **save):
    to = here / name
    shutil.rmtree(to, ignore_errors=True)
    model.float().save_pretrained(to, **save)
    (to / "generation_config.json").unlink(missing_ok=True)
    save_file({"ids": ids, **{k: v.detach().contiguous() for k, v in expected.items()}}, to / "expected.safetensors")


def ids(length, batch=1):
    return torch.randint(0, VOCABULARY, (batch, length))


def llama(name, length=20, save={}, **more):
    config = LlamaConfig(vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
                         num_attention_heads=4, num_key_value_heads=2, **{"max_position_embeddings": 24, **more})
    model = drawn(LlamaForCausalLM(config)).double()
    x = ids(length)
    write(name, model, x, {"logits": model(x).logits}, **save)


llama("llama", attention_bias=True)
llama("llama-tied-shards", tie_word_embeddings=True, save={"max_shard_size": "8KB"},
      rope_parameters={"rope_type": "linear", "rope_theta": 1000.0, "factor": 4.0})
llama("llama3", head_dim=8, mlp_bias=True, rope_parameters={
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 12})
llama("yarn", head_dim=8, rope_parameters={
    "rope_type": "yarn", "rope_theta": 100.0, "factor": 2.0, "original_max_position_embeddings": 12, "beta_fast": 2.0,
    "beta_slow": 0.25})
llama("longrope", rope_parameters={
    "rope_type": "longrope", "rope_theta": 100.0, "short_factor": [1.0, 1.0], "long_factor": [1.25, 3.0],
    "factor": 2.0, "original_max_position_embeddings": 12})
llama("dynamic", max_position_embeddings=12, rope_parameters={"rope_type": "dynamic", "rope_theta": 100.0, "factor": 2.0})

gpt2 = dict(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=4, n_positions=24)
model = drawn(GPT2LMHeadModel(GPT2Config(**gpt2))).double()
x = ids(20)
write("gpt2", model, x, {"logits": model(x).logits})
# without a head, as the file first published; other settings
model = drawn(GPT2Model(GPT2Config(**gpt2, n_inner=24, activation_function="relu",
                                   scale_attn_by_inverse_layer_idx=True))).double()
write("gpt2-base", model, x, {"logits": model(x).last_hidden_state @ model.wte.weight.T})

bert = BertConfig(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                  intermediate_size=24, max_position_embeddings=24)
x = ids(20, batch=2)
types = (torch.arange(20) > 8).long().expand(2, 20).contiguous()
mask = torch.ones(2, 20)
mask[1, 13:] = 0
model = drawn(BertForMaskedLM(bert)).double()
write("bert", model, x, {"types": types,
                         "states": model.bert(x, attention_mask=mask, token_type_ids=types).last_hidden_state})
model = drawn(BertModel(bert)).double()
y = model(x, attention_mask=mask, token_type_ids=types)
write("bert-base", model, x, {"types": types, "states": y.last_hidden_state, "pooled": y.pooler_output})
