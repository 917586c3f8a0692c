"""The writers behind `microexpr.data.layouts`, one file a data set."""
