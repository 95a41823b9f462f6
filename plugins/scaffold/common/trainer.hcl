# How a plan requires the plugin, and uses its stage. Both blocks go into a plan of yours.

jupiter {
  required_plugins {
    starter = {
      source  = "@PROGRAM@"
      version = ">= 0.1"
    }
  }
}

# Named by a cycle: trainer = trainer.starter.student.
trainer "starter" "student" {
  batch_size       = 16
  max_steps        = 100
  save_every_steps = 50

  select {
    split = "validation"
  }
}
